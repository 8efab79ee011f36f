//! Statements that somebody types into the database: what no server writes is refused there.

use incident_tests::{Server, payload};

#[tokio::test]
async fn rows_that_no_server_writes_are_refused() {
    let server = Server::start().await;
    let alice = server.client("alice");
    for report in [payload::numbered(1), payload::anonymous(payload::numbered(2))] {
        assert_eq!(alice.sync(&report).await.status, 201);
    }
    let mut session = server.database().session().await;

    for sql in [
        "UPDATE incidents SET longitude_e7 = 1800000001",
        "UPDATE incidents SET latitude_e7 = -900000001",
        "UPDATE incidents SET created_at_ms = -1",
        "UPDATE incidents SET received_at_ms = 253402300800000",
        "UPDATE incidents SET cancelled_at_ms = 1",
        "UPDATE incidents SET cancellation_reason = 'x'",
        "UPDATE incidents SET reporter = 'alice'",
        "UPDATE history SET kind = 'invented'",
        "UPDATE history SET kind = 'cancelled'",
        "UPDATE history SET cancellation_reason = 'x'",
        "UPDATE history SET at_ms = -1",
        "UPDATE history SET position = -position",
        "INSERT INTO installation SELECT * FROM installation",
    ] {
        assert!(session.refuses(sql).await, "{sql}");
    }
    session.run("UPDATE incidents SET location_id = 'elsewhere' WHERE reporter IS NOT NULL").await;
}
