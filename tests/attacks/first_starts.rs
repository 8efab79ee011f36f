//! Sixty servers start at once on an empty PostgreSQL, as after a power cut: all of them serve.

use incident_tests::{payload, until};

use super::{cluster::Cluster, clusters};

const SERVERS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_first_starts_at_once_all_serve() {
    let cluster = Cluster::start();
    // Each keeps some sessions; how many the database takes is the operator's to say.
    cluster.configure("max_connections = 600\n");
    cluster.stop();
    cluster.resume();
    let first = clusters::on(&cluster.url());
    let setups: Vec<_> = (0..SERVERS).map(|_| clusters::beside(&first, &cluster.url())).collect();

    let mut runs: Vec<_> = setups.iter().map(|setup| setup.program().start()).collect();

    for run in &mut runs {
        until("it listens", async || {
            assert!(run.ended().is_none(), "{}", run.log());
            run.out().contains("listens on").then_some(())
        })
        .await;
    }
    drop(runs);
    let server = first.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}
