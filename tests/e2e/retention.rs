//! What was received too long ago is erased by itself.

use incident_tests::{Setup, payload, until};
use serde_json::json;

use crate::start::refused;

#[tokio::test]
async fn what_is_too_old_is_erased_and_written_down() {
    let setup = Setup::new();
    let server = setup.flag("--retention", "1s").start().await;
    let alice = server.client("alice");
    let old: Vec<_> = (0..250).map(payload::numbered).collect();
    alice.batch(&old).await;

    until("the old ones are erased", async || {
        let page = server.responder().get("/api/incidents").await;
        (page.body["incidents"] == json!([])).then_some(())
    })
    .await;

    assert_eq!(server.client("alice").sync(&old[0]).await.said(), (200, "erased".into()));
    server.logs("\"by\":\"INCIDENT_RETENTION\"").await;
    // Less than a day is warned about.
    server.logs("reports may be erased before anybody has seen them").await;
}

#[tokio::test]
async fn what_is_younger_is_kept() {
    let server = Setup::new().flag("--retention", "730d").start().await;
    server.client("alice").sync(&payload::report()).await;

    let server = server.kill_and_restart().await;

    let page = server.responder().get("/api/incidents").await;
    assert_eq!(page.body["incidents"].as_array().unwrap().len(), 1);
    assert!(!server.log().contains("incidents were erased"));
}

#[tokio::test]
async fn a_retention_of_zero_or_of_no_time_at_all_is_refused() {
    for (text, because) in
        [("0d", "zero would erase every report at once"), ("two years", "a time such as 730d")]
    {
        refused(&Setup::new().program().args(["--retention", text]).output().await, because);
    }
}
