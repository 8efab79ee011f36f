//! Who read the reports of others is written down; who read their own is not.

use incident_tests::{
    Events, Server, Setup,
    incident_keys::{derived, sealed},
    payload, until,
};
use serde_json::Value;

const LIST: &str = "/api/incidents?status=Open&locationId=ward-7&createdAfter=2026-01-01T00:00:00Z";
const CHANGES: &str = "/api/incidents/changes";

fn lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter(|line| line["target"] == "incident_server::audit::reads").collect()
}

/// As soon as so many lines are there.
async fn audited(server: &Server, count: usize) -> Vec<Value> {
    let all = async || Some(lines(&server.log())).filter(|lines| lines.len() >= count);
    let lines = until("the lines of the audit", all).await;
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

#[tokio::test]
async fn a_responders_reads_are_written_down_with_what_was_shown() {
    let server = Server::start().await;
    let created = server.client("alice").sync(&payload::report()).await;
    let id = created.body["incident"]["id"].as_str().unwrap().to_owned();
    let responder = server.responder();

    for path in
        [created.header("location"), created.header("location") + "/history", LIST.into(), CHANGES.into()]
    {
        assert_eq!(responder.get(&path).await.status, 200, "{path}");
    }

    let lines = audited(&server, 4).await;
    let whats: Vec<_> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["incident", "history", "list", "changes"]);
    for line in &lines {
        assert_eq!((&line["reader"], &line["message"]), (&"responder".into(), &"read".into()), "{line}");
        assert!(line["span"]["id"].is_string(), "the request's id: {line}");
    }
    assert_eq!((&lines[0]["incident"], &lines[1]["incident"]), (&Value::from(&*id), &Value::from(&*id)));
    let list = &lines[2];
    assert_eq!((&list["status"], &list["at_one_location"]), (&"Open".into(), &true.into()));
    assert_eq!(
        (&list["incidents"], &list["newest"], &list["oldest"]),
        (&1.into(), &Value::from(&*id), &id.into())
    );
    assert_eq!(list["created_after"], "2026-01-01T00:00:00.000Z");
    assert!(lines[3]["after"].is_string() && lines[3]["to"] != lines[3]["after"], "{}", lines[3]);
    assert!(!server.log().contains("ward-7"));
}

#[tokio::test]
async fn a_stream_is_written_down_when_it_begins_and_when_it_ends() {
    let server = Server::start().await;
    let mut events = Events::open(&server.responder(), "", None).await.unwrap();
    server.client("alice").sync(&payload::report()).await;
    let seen = events.next().await.id;

    let begun = audited(&server, 1).await;
    drop(events);
    server.client("alice").sync(&payload::numbered(1)).await; // so that the server finds out

    let ended = audited(&server, 2).await;
    assert_eq!((&begun[0]["what"], &begun[0]["message"]), (&"stream".into(), &"begun".into()));
    assert_eq!((&ended[1]["what"], &ended[1]["message"]), (&"stream".into(), &"ended".into()));
    assert_eq!(ended[1]["reader"], "responder");
    assert_ne!(ended[1]["to"], begun[0]["after"], "{seen}");
}

#[tokio::test]
async fn nobodys_own_reads_are_written_down_whatever_they_may_read_besides() {
    let server = Server::start().await;
    let both = incident_tests::Client::new(server.url(), Some(server.token("alice", Some("incidents:read"))));
    let named = both.sync(&payload::report()).await;
    let unsealed = payload::anonymous(payload::numbered(1));
    let unsealed = both.sync_with_key(&unsealed, &derived("alice", &unsealed)).await;
    let secret = payload::anonymous(payload::numbered(2));
    let key = sealed(7, "alice", &secret);
    let secret = both.sync_with_key(&secret, &key).await;

    for created in [named, unsealed] {
        assert_eq!(both.get(&created.header("location")).await.status, 200);
        assert_eq!(server.client("alice").get("/api/incidents").await.status, 200);
    }
    for client in [&both, &server.client("alice")] {
        assert_eq!(client.get_with_key(&secret.header("location"), &key).await.status, 200);
    }
    assert_eq!(server.client("bob").get(&secret.header("location")).await.status, 404);

    let (_, log) = server.stop().await;
    assert_eq!(lines(&log), Vec::<Value>::new());
}

#[tokio::test]
async fn the_audit_does_not_depend_on_the_level_and_can_be_switched_off() {
    for (filter, count) in [("error", 1), ("warn,incident_server::audit::reads=off", 0), ("off", 0)] {
        let server = Setup::new().variable("INCIDENT_LOG", filter).start().await;

        assert_eq!(server.responder().get("/api/incidents").await.status, 200);

        let (_, log) = server.stop().await;
        let lines = lines(&log);
        assert_eq!(lines.len(), count, "{filter}: {log}");
        assert!(lines.iter().all(|line| line["span"]["id"].is_string()), "the request's id: {log}");
    }
}
