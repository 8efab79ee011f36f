//! What was erased is gone, and nothing brings it back.

use incident_tests::{Answer, Client, Events, Server, incident_keys::sealed, payload};
use serde_json::{Value, json};

async fn changes(server: &Server) -> Vec<Value> {
    let page = server.responder().get("/api/incidents/changes?limit=1000").await;
    page.body["changes"].as_array().unwrap_or_else(|| panic!("no page: {page:?}")).clone()
}

async fn report(client: &Client) -> String {
    client.sync(&payload::report()).await.header("location")
}

#[tokio::test]
async fn an_erased_incident_is_a_tombstone_and_erasing_it_again_changes_nothing() {
    let server = Server::start().await;
    let path = report(&server.client("alice")).await;

    let erased = server.eraser().delete(&path).await;
    let again = server.eraser().delete(&path).await;

    assert_eq!((erased.status, &erased.body["outcome"]), (200, &json!("erased")));
    assert_eq!((again.status, &again.body["outcome"]), (200, &json!("unchanged")));
    let left = erased.body["incident"].as_object().unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), ["createdAt", "erasedAt", "id", "status"]);
    assert_eq!(left["status"], "Erased");
    assert_eq!(left["createdAt"], payload::report()["createdAt"]);
    assert!(left["erasedAt"].as_str().unwrap().ends_with(":00.000Z"));
    assert_eq!(again.body["incident"], erased.body["incident"]);
}

#[tokio::test]
async fn only_the_scope_erases_and_only_what_is_there() {
    let server = Server::start().await;
    let path = report(&server.client("alice")).await;
    let unknown = format!("{}0", &path[..path.len() - 1]);

    for (client, expected) in [
        (server.stranger(), (401, "unauthorized")),
        (server.client("alice"), (403, "forbidden")),
        (server.responder(), (403, "forbidden")),
    ] {
        for path in [path.as_str(), "/api/incidents?reporter=alice", "/api/incidents"] {
            assert_eq!(client.delete(path).await.said(), (expected.0, expected.1.to_owned()), "{path}");
        }
    }
    for path in [if unknown == path { "/api/incidents/1" } else { &unknown }, "/api/incidents/x"] {
        assert_eq!(server.eraser().delete(path).await.said(), (404, "not-found".into()), "{path}");
    }
    assert_eq!(server.eraser().get(&path).await.status, 404, "the scope to erase is none to read");
    assert_eq!(server.client("alice").get(&path).await.status, 200);
}

#[tokio::test]
async fn readers_find_nothing_and_those_who_may_know_are_told_why() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let named = report(&alice).await;
    let hidden = payload::anonymous(payload::numbered(1));
    let key = sealed(7, "alice", &hidden);
    let anonymous = alice.sync_with_key(&hidden, &key).await.header("location");
    for path in [&named, &anonymous] {
        assert_eq!(server.eraser().delete(path).await.status, 200);
    }

    for path in [named.clone(), anonymous.clone(), format!("{named}/history"), format!("{anonymous}/history")]
    {
        let told = server.responder().get(&path).await;
        assert_eq!((told.said(), &told.body["disposition"]), ((410, "gone".into()), &json!("settled")));
        assert_eq!(alice.get(&path).await.said(), (404, "not-found".into()));
    }
    assert_eq!(server.client("bob").get_with_key(&anonymous, &key).await.said(), (410, "gone".into()));
    assert_eq!(alice.get_with_key(&named, &key).await.said(), (404, "not-found".into()));
    for list in ["", "?status=Open", "?status=Cancelled", "?locationId=ward-7"] {
        let list = format!("/api/incidents{list}");
        assert_eq!(server.responder().get(&list).await.body["incidents"], json!([]), "{list}");
        assert_eq!(alice.get(&list).await.body["incidents"], json!([]), "{list}");
    }
    let word = server.responder().get("/api/incidents?status=Erased").await;
    assert_eq!(word.errors(), [("/status".to_owned(), "unknown-value".to_owned())]);
}

#[tokio::test]
async fn late_repeats_cancellations_and_conflicts_are_settled_and_change_nothing() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let path = report(&alice).await;
    server.eraser().delete(&path).await;
    let before = changes(&server).await;
    let late = [
        payload::report(),
        payload::cancelled(payload::report(), "too late"),
        payload::with(payload::report(), "locationId", "elsewhere"),
        payload::anonymous(payload::report()),
    ];

    let mut results = alice.batch(&late).await.body["results"].as_array().unwrap().clone();
    for payload in &late {
        let answer: Answer = alice.sync(payload).await;
        assert_eq!(answer.said(), (200, "erased".into()));
        results.push(answer.body);
    }

    for result in results {
        assert_eq!((&result["outcome"], &result["disposition"]), (&json!("erased"), &json!("settled")));
        assert_eq!(result["incident"]["status"], "Erased");
        assert_eq!(result["incident"]["locationId"], Value::Null);
    }
    assert_eq!(changes(&server).await, before);
    assert_eq!(
        server.kill_and_restart().await.client("alice").sync(&late[0]).await.said(),
        (200, "erased".into())
    );
}

#[tokio::test]
async fn the_feed_says_erased_in_place_of_all_that_was_before() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let path = report(&alice).await;
    alice.sync(&payload::cancelled(payload::report(), "he said so")).await;
    alice.sync(&payload::numbered(1)).await;
    let mut events = Events::open(&server.responder(), "?after=latest", None).await.ok().unwrap();

    server.eraser().delete(&path).await;

    let change = events.next().await;
    assert_eq!((change.kind.as_str(), &change.change["incident"]["status"]), ("erased", &json!("Erased")));
    let kinds: Vec<_> = changes(&server).await.iter().map(|change| change["kind"].clone()).collect();
    assert_eq!(kinds, ["created", "erased"]);
}

#[tokio::test]
async fn all_of_a_reporter_are_erased_but_anonymous_ones() {
    let server = Server::unlimited().await;
    let alice = server.client("alice & co");
    let reports: Vec<_> = (0..230).map(payload::numbered).collect();
    alice.batch(&reports).await;
    alice.sync(&payload::anonymous(payload::numbered(300))).await;
    server.client("alice").sync(&payload::report()).await;

    let erased = server.eraser().delete("/api/incidents?reporter=alice%20%26%20co").await;
    let again = server.eraser().delete("/api/incidents?reporter=alice+%26+co").await;

    assert_eq!((erased.status, erased.body), (200, json!({ "erased": 230, "more": false })));
    assert_eq!(again.body, json!({ "erased": 0, "more": false }));
    let left = server.responder().get("/api/incidents").await.body["incidents"].as_array().unwrap().len();
    assert_eq!(left, 2, "the anonymous one, and that of somebody else");
    assert!(alice.sync(&reports[7]).await.said() == (200, "erased".into()));
}

#[tokio::test]
async fn beyond_ten_thousand_the_same_request_goes_on() {
    let server = Server::unlimited().await;
    let alice = server.client("alice");
    for first in (0..10_500).step_by(500) {
        let reports: Vec<_> = (first..first + 500).map(payload::numbered).collect();
        assert_eq!(alice.batch(&reports).await.status, 200);
    }

    let by_hand = server.eraser();
    let (mut gone, mut answers) = (0, Vec::new());
    while gone < 10_500 && answers.len() < 50 {
        let answer = by_hand.delete("/api/incidents?reporter=alice").await.body;
        let so_many = answer["erased"].as_u64().unwrap();
        assert!(so_many <= 10_000, "{answer}");
        gone += so_many;
        answers.push(answer["more"].clone());
    }

    let (last, before) = answers.split_last().unwrap();
    assert!(gone == 10_500 && *last == false, "{gone}, {answers:?}");
    assert!(!before.is_empty() && before.iter().all(|more| *more == true), "{answers:?}");
}

#[tokio::test]
async fn an_erasure_without_a_name_erases_nobodys() {
    let server = Server::start().await;
    report(&server.client("alice")).await;

    for (query, code) in [
        ("", "required"),
        ("?", "required"),
        ("?reporte=alice", "required"),
        ("?reporter=", "blank"),
        ("?reporter=a%00b", "control-character"),
        (&*format!("?reporter={}", "x".repeat(256)), "too-long"),
        ("?reporter=%ff", "type"),
        ("?reporter=alice&reporter=bob", "duplicate-field"),
        ("?reporter=alice&createdBefore=1999-01-01T00:00:00Z", "unknown-value"),
    ] {
        let answer = server.eraser().delete(&format!("/api/incidents{query}")).await;
        assert_eq!(answer.said(), (422, "validation-failed".into()), "{query}");
        assert_eq!(answer.errors(), [("/reporter".to_owned(), code.to_owned())], "{query}");
    }
    assert_eq!(changes(&server).await.len(), 1);
}

#[tokio::test]
async fn who_erased_what_is_an_audit_line() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let id = alice.sync(&payload::report()).await.id();
    alice.sync(&payload::numbered(1)).await;
    let path = format!("/api/incidents/{id}");
    server.eraser().delete(&path).await;
    server.eraser().delete(&path).await;
    server.eraser().delete("/api/incidents?reporter=alice").await;

    let (_, log) = server.stop().await;

    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audit: Vec<_> = lines.filter(|line| line["target"] == "incident_server::audit").collect();
    assert_eq!(audit.len(), 2, "an erasure that changes nothing has no line: {log}");
    assert_eq!((&audit[0]["by"], &audit[0]["count"]), (&json!("data-protection"), &json!(1)));
    assert_eq!(audit[0]["ids"], id);
    assert!(audit[0]["timestamp"].is_string() && audit[0]["level"] == "INFO");
    assert!(!log.contains("alice"), "whose they were is not logged");
}

#[tokio::test]
async fn the_row_of_an_erased_incident_holds_two_moments() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let path = report(&alice).await;
    alice.sync(&payload::cancelled(payload::report(), "he said so")).await;
    server.eraser().delete(&path).await;

    let mut session = server.database().session().await;

    let row = "SELECT count(*) FROM incidents WHERE erased_at_ms IS NOT NULL AND reporter IS NULL
        AND location_id = '' AND room_number IS NULL AND longitude_e7 = 0 AND latitude_e7 = 0
        AND received_at_ms = 0 AND cancellation_reason = ''";
    let history = "SELECT count(*) FROM history WHERE kind = 'erased' AND cancellation_reason IS NULL";
    assert_eq!((session.count(row).await, session.count(history).await), (1, 1));
    assert_eq!(session.count("SELECT count(*) FROM history").await, 1);
}
