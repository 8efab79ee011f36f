//! `PgBouncer` between server and database.

use std::sync::Arc;

use incident_core::{EventKind, Outcome};
use incident_server::store::{PgStore, Position, Store};

use crate::support::{
    cluster::Cluster,
    pooler::Pooler,
    report::{cancelled, outcome, report},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_pgbouncer_with_its_defaults_writes_reads_and_follows() {
    let cluster = Cluster::start();
    let pooler = Pooler::to(&cluster);
    let mut servers: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        servers.push(Arc::new(
            PgStore::open_url(&pooler.url()).await.expect("a start means that writing works"),
        ));
    }
    let mut waiting = servers[1].watch_changes();

    assert_eq!(outcome(&*servers[0], &report("alice", 0)).await, Some(Outcome::Created));
    assert_eq!(outcome(&*servers[1], &cancelled(&report("alice", 0), "off")).await, Some(Outcome::Cancelled));

    waiting.changed().await.expect("the other server is told");
    let changes = servers[1].changes(Position::START, 10).await.unwrap().changes;
    let kinds: Vec<_> = changes.iter().map(|change| change.event.change.kind()).collect();
    assert_eq!(kinds, [EventKind::Created, EventKind::Cancelled]);
    for server in servers {
        server.ready().await.expect("a commit succeeds");
        server.close().await;
    }
}
