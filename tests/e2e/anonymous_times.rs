//! Of the times of an anonymous incident only the minute is told and kept: the second would name its neighbours.

use incident_tests::{Server, incident_keys::sealed, payload};

#[tokio::test]
async fn the_times_of_an_anonymous_incident_are_told_to_the_minute() {
    let server = Server::start().await;
    let (alice, responder) = (server.client("alice"), server.responder());
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);
    let created = alice.sync_with_key(&report, &key).await;
    let cancelled = alice.sync_with_key(&payload::cancelled(report, "false alarm"), &key).await;
    let path = created.header("location");

    let history = alice.get_with_key(&format!("{path}/history"), &key).await.body;
    let list = responder.get("/api/incidents").await.body;
    let changes = responder.get("/api/incidents/changes").await.body;
    let read = alice.get_with_key(&path, &key).await.body;

    let change = |number: usize| &changes["changes"][number];
    let told = [
        &created.body["incident"]["receivedAt"],
        &cancelled.body["incident"]["receivedAt"],
        &cancelled.body["incident"]["cancelledAt"],
        &history["events"][0]["at"],
        &history["events"][1]["at"],
        &list["incidents"][0]["receivedAt"],
        &list["incidents"][0]["cancelledAt"],
        &read["receivedAt"],
        &read["cancelledAt"],
        &change(0)["at"],
        &change(1)["at"],
        &change(1)["incident"]["receivedAt"],
        &change(1)["incident"]["cancelledAt"],
    ];
    for moment in told {
        assert!(moment.as_str().unwrap().ends_with(":00.000Z"), "{told:?}");
    }
}

#[tokio::test]
async fn of_the_times_of_an_anonymous_incident_the_minute_is_in_the_database() {
    let server = Server::start().await;
    let alice = server.client("alice");
    for number in 0..20 {
        let report = payload::anonymous(payload::numbered(number));
        let key = sealed(7, "alice", &report);
        alice.sync_with_key(&report, &key).await;
        for reason in ["false alarm", "a drill"] {
            alice.sync_with_key(&payload::cancelled(report.clone(), reason), &key).await;
        }
    }

    let mut session = server.database().session().await;

    let incidents = "SELECT count(*) FROM incidents WHERE is_anonymous AND cancelled_at_ms IS NOT NULL
        AND received_at_ms % 60000 = 0 AND cancelled_at_ms % 60000 = 0";
    let history = "SELECT count(*) FROM history WHERE at_ms % 60000 = 0";
    assert_eq!((session.count(incidents).await, session.count(history).await), (20, 60));
}
