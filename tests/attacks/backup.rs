//! A backup while others write without a pause: it ends, and has all that was acknowledged before it began.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use incident_tests::{Client, Setup, payload, until};

/// Reports one after the other, 40 a second, as a small hospital does on its worst day.
async fn report(client: Client, acknowledged: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    let mut pace = tokio::time::interval(Duration::from_millis(25));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = acknowledged.load(Ordering::SeqCst);
        assert_eq!(client.sync(&payload::numbered(number)).await.status, 201);
        acknowledged.store(number + 1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_backup_under_load_ends_and_has_all_that_was_acknowledged_before_it_began() {
    let (setup, elsewhere) = (Setup::on_sqlite().flag("--rate-limit", "off"), Setup::on_sqlite());
    let server = setup.clone().start().await;
    let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn(report(server.client("alice"), Arc::clone(&acknowledged), Arc::clone(&stop)));
    until("some are acknowledged", async || (acknowledged.load(Ordering::SeqCst) > 50).then_some(())).await;
    let file = elsewhere.data_dir().join("incidents.sqlite");

    let before = acknowledged.load(Ordering::SeqCst);
    let backup = setup.program().args(["backup"]).args([&file]).output().await;
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();

    assert!(backup.status.success(), "{backup:?}");
    std::fs::copy(setup.data_dir().join("id.secret"), elsewhere.data_dir().join("id.secret")).unwrap();
    let restored = elsewhere.flag("--rate-limit", "off").start().await;
    let reports: Vec<_> = (0..before).map(payload::numbered).collect();
    for reports in reports.chunks(100) {
        let answer = restored.client("alice").batch(reports).await;
        let results = answer.body["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["outcome"] == "unchanged"), "{answer:?}");
    }
}
