//! Everything that is stored leaves in one file: whole, beside the running server, for its owner's eyes.

use std::{fs, path::Path, process::Output};

use incident_tests::{Server, Setup, payload};
use serde_json::Value;

use crate::start::{mode, refused};

async fn export(setup: &Setup, file: &Path, flags: &[&str]) -> Output {
    setup.program().args(["export"]).args([file]).args(flags).output().await
}

/// More than one page.
async fn server_with_many(setup: &Setup) -> Server {
    let server = setup.clone().start().await;
    for first in [0, 400] {
        let reports: Vec<_> = (first..first + 400).map(payload::numbered).collect();
        assert_eq!(server.client("alice").batch(&reports).await.status, 200);
    }
    let called_off = payload::cancelled(payload::numbered(3), "false alarm, \"really\"");
    assert_eq!(server.client("alice").sync(&called_off).await.said().1, "cancelled");
    let anonymous = payload::with(payload::anonymous(payload::numbered(900)), "roomNumber", "=1+1");
    assert_eq!(server.client("bob").sync(&anonymous).await.status, 201);
    server
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_incident_is_exported_with_its_history_as_a_responder_sees_it() {
    let setup = Setup::new();
    let server = server_with_many(&setup).await;
    let file = setup.data_dir().join("everything.jsonl");

    let output = export(&setup, &file, &[]).await;

    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("801 incidents, 1 of them anonymous and 0 erased; 1 people are named"), "{said}");
    assert_eq!(mode(&file), 0o600);
    let lines = lines(&file);
    assert_eq!(lines.len(), 801);
    let responder = server.responder();
    for exported in [&lines[0], &lines[3], &lines[499], &lines[500], &lines[800]] {
        let mut shown = exported.clone();
        let history = shown.as_object_mut().unwrap().remove("history").unwrap();
        let path = format!("/api/incidents/{}", exported["id"].as_str().unwrap());
        assert_eq!(responder.get(&path).await.body, shown);
        assert_eq!(responder.get(&format!("{path}/history")).await.body["events"], history);
    }
    assert_eq!(lines[3]["history"][1]["kind"], "cancelled");
}

#[tokio::test]
async fn a_spreadsheet_gets_a_line_an_incident_and_no_formula() {
    let setup = Setup::new();
    let _server = server_with_many(&setup).await;

    let output = export(&setup, Path::new("-"), &["--format", "csv"]).await;

    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 801 + 1, "a header, the incidents, nothing behind the last line end");
    assert!(lines[0].starts_with("id,status,reporter,locationId,roomNumber,longitude,latitude,isAnonymous,"));
    assert!(lines[4].contains(r#","false alarm, ""really""","#), "{}", lines[4]);
    assert!(lines[801].contains(",,ward-7,'=1+1,12.4924,41.8902,true,"), "{}", lines[801]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("801 incidents"));
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_made_where_there_is_no_database() {
    let setup = Setup::on_sqlite();
    let file = setup.data_dir().join("letter");
    refused(&export(&setup, &file, &[]).await, "cannot open the database");
    assert!(!file.exists());
    let _server = setup.clone().start().await;
    fs::write(&file, "a letter").unwrap();

    refused(&export(&setup, &file, &[]).await, "letter is there already, and nothing is overwritten");

    assert_eq!(fs::read_to_string(&file).unwrap(), "a letter");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_missed_aloud() {
    let setup = Setup::new();
    let server = setup.clone().start().await;
    for number in 0..2 {
        server.client("alice").sync(&payload::numbered(number)).await;
    }
    let oldest = "(SELECT min(created_at_ms) FROM incidents)";
    let edit =
        format!("UPDATE incidents SET received_at_ms = 999999999999999 WHERE created_at_ms = {oldest}");
    server.database().session().await.run_past_checks(&edit).await;
    let file = setup.data_dir().join("everything.jsonl");

    let output = export(&setup, &file, &[]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 rows cannot be read and are missing in the export"), "{said}");
    assert_eq!(lines(&file).len(), 1);
}

#[tokio::test]
async fn an_export_is_a_read_that_is_written_down() {
    let setup = Setup::new();
    let _server = setup.clone().start().await;

    let output = export(&setup, Path::new("-"), &[]).await;

    let log = String::from_utf8(output.stderr).unwrap();
    let lines = log.lines().filter(|line| line.contains(r#""target":"incident_server::audit::reads""#));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["begun", "ended"], "{log}");
    assert!(lines.iter().all(|line| line["what"] == "export" && line["user"].is_u64()), "{log}");
    assert_eq!(lines[1]["incidents"], 0);
}
