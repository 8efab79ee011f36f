//! A database that version 0.1 made is opened, brought up to date and served.
//!
//! `tests/frozen/0.1` has a SQLite file and a PostgreSQL dump that the program of commit f1af654 made of `reports.json`
//! under `id.secret`. They never change; what is said about them is frozen beside them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use incident_tests::{Client, Server, Setup, assert_frozen, payload};
use serde_json::{Value, json};

const FOLDER: &str = "tests/frozen/0.1";
const OPEN: &str = "01a202c0-f648-810b-9d91-420a8827df07";

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", FOLDER, name].iter().collect()
}

/// A server of today on what 0.1 left behind.
async fn server() -> Server {
    let setup = Setup::new();
    fs::copy(file("id.secret"), setup.data_dir().join("id.secret")).unwrap();
    if setup.database().url().is_some() {
        let dump = fs::read_to_string(file("incidents.postgres.sql")).unwrap();
        setup.database().session().await.run(dump).await;
    } else {
        fs::copy(file("incidents.sqlite"), setup.data_dir().join("incidents.sqlite")).unwrap();
    }
    setup.start().await
}

/// What was sent to 0.1, and by whom.
fn reports() -> Vec<(String, Value)> {
    let reports: Value = serde_json::from_slice(&fs::read(file("reports.json")).unwrap()).unwrap();
    let report = |each: &Value| (each["reporter"].as_str().unwrap().to_owned(), each["payload"].clone());
    reports.as_array().unwrap().iter().map(report).collect()
}

/// All changes from the beginning, but for their cursors: which feed they are of is drawn when the tables are
/// brought up to date.
async fn changes(client: &Client) -> Vec<Value> {
    let page = client.get("/api/incidents/changes?limit=200").await.body;
    let without_cursor = |change: &Value| payload::with(change.clone(), "cursor", Value::Null);
    page["changes"].as_array().unwrap().iter().map(without_cursor).collect()
}

#[tokio::test]
async fn every_incident_its_history_and_the_feed_are_served_as_they_were() {
    let server = server().await;
    let responder = server.responder();
    let list = responder.get("/api/incidents?limit=200").await.body;
    let mut histories = BTreeMap::new();
    for incident in list["incidents"].as_array().unwrap() {
        let id = incident["id"].as_str().unwrap();
        histories.insert(id, responder.get(&format!("/api/incidents/{id}/history")).await.body);
    }

    let answers = json!({ "list": list, "histories": histories, "changes": changes(&responder).await });

    let store = if server.database().url().is_some() { "postgres" } else { "sqlite" };
    let text = serde_json::to_string_pretty(&answers).unwrap() + "\n";
    assert_frozen(&format!("{FOLDER}/served-on-{store}.json"), &text);
}

#[tokio::test]
async fn whatever_was_sent_to_it_is_known_again() {
    let server = server().await;
    let before = changes(&server.responder()).await;

    for (reporter, report) in reports() {
        let (status, outcome) = server.client(&reporter).sync(&report).await.said();
        assert_eq!(status, 200, "{report}");
        assert!(["unchanged", "alreadyCancelled"].contains(&outcome.as_str()), "{outcome}: {report}");
    }

    assert_eq!(changes(&server.responder()).await, before, "nothing happened to it");
}

#[tokio::test]
async fn its_incidents_are_called_off_and_erased_like_any_other() {
    let server = server().await;
    let (reporter, open) = reports().swap_remove(0);
    let before = changes(&server.responder()).await.len();

    let called_off = server.client(&reporter).sync(&payload::cancelled(open, "false alarm")).await;
    let erased = server.eraser().delete(&format!("/api/incidents/{OPEN}")).await;
    let new = server.client("carol").sync(&payload::report()).await;

    assert_eq!((called_off.id().as_str(), called_off.said()), (OPEN, (200, "cancelled".into())));
    assert_eq!((erased.status, new.said()), (200, (201, "created".into())));
    let kinds: Vec<_> =
        changes(&server.responder()).await.iter().map(|change| change["kind"].clone()).collect();
    assert_eq!(
        kinds[before - 1..],
        [json!("erased"), json!("created")],
        "the history of what is erased is gone"
    );
}
