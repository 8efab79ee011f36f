//! One identity that asks too often is slowed down, and only that one.

use incident_tests::{Server, Setup, payload};

#[tokio::test]
async fn an_identity_over_its_burst_waits_and_others_do_not() {
    let server = Setup::new().flag("--rate-limit", "1/m,3").start().await;
    let alice = server.client("alice");

    let statuses = [
        alice.sync(&payload::report()).await.status,
        alice.batch(&[payload::numbered(1), payload::numbered(2), payload::numbered(3)]).await.status,
        alice.get("/api/incidents").await.status,
    ];
    let refused = alice.sync(&payload::report()).await;

    assert_eq!(statuses, [201, 200, 200], "a batch is one request, reading counts");
    assert_eq!(refused.said(), (429, "rate-limited".into()));
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(server.client("bob").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn another_token_of_the_same_identity_does_not_help() {
    let server = Setup::new().flag("--rate-limit", "1/m,1").start().await;
    assert_eq!(server.client("responder").get("/api/incidents").await.status, 200);

    let refused = server.responder().get("/api/incidents").await;

    assert_eq!(refused.status, 429);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_counted() {
    let server = Setup::new().flag("--rate-limit", "1/m,1").start().await;

    for _ in 0..5 {
        assert_eq!(server.stranger().sync(&payload::report()).await.status, 401);
        assert_eq!(server.get("/healthz").await.status, 200);
    }

    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn the_default_lets_a_burst_of_two_hundred_pass() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for number in 0..200 {
        assert_eq!(alice.sync(&payload::numbered(number)).await.status, 201);
    }
}
