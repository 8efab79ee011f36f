//! One identity that asks too often is slowed down, and only that one.

use incident_tests::{Events, Server, Setup, payload, raw, until};

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

#[tokio::test]
async fn payloads_count_over_single_requests_and_batches_and_a_batch_fits_whole_or_not_at_all() {
    let server = Setup::new().flag("--payload-rate-limit", "1/m,5").start().await;
    let alice = server.client("alice");
    let batch = |numbers: std::ops::Range<usize>| numbers.map(payload::numbered).collect::<Vec<_>>();

    assert_eq!(alice.batch(&batch(0..3)).await.status, 200);
    assert_eq!(alice.sync(&payload::numbered(3)).await.status, 201);
    let too_many = alice.batch(&batch(4..6)).await;
    assert_eq!(alice.sync(&payload::numbered(6)).await.status, 201);
    let one_too_many = alice.sync_text("no JSON at all").await;

    assert_eq!(too_many.said(), (429, "rate-limited".into()));
    assert!((1..=120).contains(&too_many.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(one_too_many.said(), (429, "rate-limited".into()), "before the body is looked at");
    let listed = alice.get("/api/incidents").await;
    assert_eq!(listed.body["incidents"].as_array().map(Vec::len), Some(5), "nothing of it was stored");
    assert_eq!(server.client("bob").batch(&batch(0..5)).await.status, 200);
}

#[tokio::test]
async fn a_batch_that_never_fits_is_told_how_many_do() {
    let server = Setup::new().flag("--payload-rate-limit", "1/m,5").start().await;
    let batch: Vec<_> = (0..6).map(payload::numbered).collect();

    let refused = server.client("alice").batch(&batch).await;

    assert_eq!(refused.said(), (429, "rate-limited".into()));
    assert_eq!(refused.header("retry-after"), "60");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("never passes") && detail.contains("at most 5 payloads in one"), "{detail}");
    assert_eq!(server.client("alice").batch(&batch[1..]).await.status, 200);
}

#[tokio::test]
async fn one_identity_has_so_many_streams_at_once_and_another_its_own() {
    let server = Server::unlimited().await;
    let responder = server.responder();
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Events::open(&responder, "?after=latest", None).await.ok().unwrap());
    }

    let refused = Events::open(&responder, "?after=latest", None).await.err().unwrap();
    streams.pop();
    until("its place is free again", async || Events::open(&responder, "?after=latest", None).await.ok())
        .await;

    assert_eq!(refused.said(), (429, "rate-limited".into()));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("64 streams") && detail.contains("close"), "{detail}");
}

#[tokio::test]
async fn one_identity_has_so_many_requests_at_once() {
    let server = Server::unlimited().await;
    let begun = raw::sync_head(&server, "mallory", 100) + "{";
    let (mallory, mut stalled) = (server.client("mallory"), Vec::new());
    for _ in 0..250 {
        stalled.push(raw::send(&server, begun.clone()).await);
    }

    // On a busy machine a connection may come late.
    until("one more is refused", async || {
        stalled.push(raw::send(&server, begun.clone()).await);
        (mallory.sync(&payload::report()).await.said() == (429, "rate-limited".into())).then_some(())
    })
    .await;
    assert!(stalled.len() >= 256, "{} requests", stalled.len());
    assert_eq!(server.client("bob").sync(&payload::report()).await.status, 201, "only that one");

    drop(stalled);
    until("they are given back", async || {
        (mallory.sync(&payload::report()).await.status < 300).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_identity_has_so_many_bytes_at_once() {
    let server = Server::unlimited().await;
    let head = raw::sync_head(&server, "mallory", 1 << 20).replace("/sync HTTP", "/sync/batch HTTP");
    let (mallory, mut stalled) = (server.client("mallory"), Vec::new());

    let long = payload::with(payload::report(), "unknown", "x".repeat(30_000));
    let long_batch = vec![long.clone(); 30];
    until("16 MiB are used", async || {
        stalled.push(raw::send(&server, head.clone() + &" ".repeat((1 << 20) - 1)).await);
        let answer = mallory.batch(&long_batch).await;
        (answer.said() == (429, "rate-limited".into())).then_some(())
    })
    .await;
    assert!(stalled.len() >= 15, "{} MiB", stalled.len());

    let short = mallory.sync(&payload::numbered(1)).await;
    assert_eq!(short.status, 201, "what is short passes");
    assert_eq!(server.client("bob").batch(&[long]).await.status, 200, "only that one");
}
