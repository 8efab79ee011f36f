//! A report's text stands in the database and its log, and nowhere beside them.

use std::{fs::File, time::SystemTime};

use incident_tests::{Setup, payload};
use serde_json::Value;
use tempfile::TempDir;

/// Wide rows: a batch of each fourth changes some two hundred pages.
fn reports() -> Vec<Value> {
    let report = |number| payload::with(payload::numbered(number), "locationId", "x".repeat(128));
    (0..2000).map(report).collect()
}

#[tokio::test]
async fn a_batch_that_changes_many_pages_makes_no_temporary_file() {
    let folder = TempDir::new().unwrap();
    let setup = Setup::on_sqlite().variable("SQLITE_TMPDIR", folder.path().to_str().unwrap());
    let server = setup.flag("--payload-rate-limit", "off").start().await;
    let alice = server.client("alice");
    for batch in reports().chunks(500) {
        assert_eq!(alice.batch(batch).await.status, 200);
    }
    let folder = File::open(folder.path()).unwrap();
    folder.set_modified(SystemTime::UNIX_EPOCH).unwrap();

    let cancelled: Vec<_> =
        reports().into_iter().step_by(4).map(|report| payload::cancelled(report, "false alarm")).collect();
    let answer = alice.batch(&cancelled).await;

    assert_eq!(answer.body["results"][499]["outcome"], "cancelled", "{}", answer.body);
    assert_eq!(folder.metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
}
