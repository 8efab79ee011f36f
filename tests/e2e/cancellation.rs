//! What does not exist can be cancelled; it is created and cancelled in one step.

use std::sync::atomic::{AtomicBool, Ordering};

use incident_tests::{Server, payload};

#[tokio::test]
async fn cancelling_what_does_not_exist_creates_and_cancels_it() {
    let server = Server::start().await;
    let alice = server.client("alice");

    let answer = alice.sync(&payload::cancelled(payload::report(), "false alarm")).await;

    assert_eq!(answer.said(), (201, "createdAndCancelled".into()));
    assert_eq!(answer.header("location"), format!("/api/incidents/{}", answer.id()));
    assert_eq!(answer.body["incident"]["status"], "Cancelled");
    assert_eq!(answer.body["incident"]["cancellationReason"], "false alarm");
    assert_eq!(answer.body["incident"]["cancelledAt"], answer.body["incident"]["receivedAt"]);
    let history = alice.history(&answer.id()).await;
    assert_eq!(history, [("created".into(), None), ("cancelled".into(), Some("false alarm".into()))]);
}

#[tokio::test]
async fn created_and_cancelled_is_never_seen_open() {
    let server = Server::unlimited().await;
    let (alice, responder) = (server.client("alice"), server.responder());
    let done = AtomicBool::new(false);

    let write = async {
        for number in 0..200 {
            let payload = payload::cancelled(payload::numbered(number), "false alarm");
            assert_eq!(alice.sync(&payload).await.status, 201);
        }
        done.store(true, Ordering::Relaxed);
    };
    let watch = async {
        let mut looks = 0;
        while !done.load(Ordering::Relaxed) {
            let open = responder.get("/api/incidents?status=Open&limit=200").await;
            assert_eq!(open.body["incidents"].as_array().map(Vec::len), Some(0), "{open:?}");
            looks += 1;
        }
        looks
    };
    let ((), looks) = tokio::join!(write, watch);

    assert!(looks > 1, "nobody looked");
    let all = responder.get("/api/incidents?status=Cancelled&limit=200").await;
    assert_eq!(all.body["incidents"].as_array().map(Vec::len), Some(200));
}

#[tokio::test]
async fn an_open_incident_is_cancelled_once() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let created = alice.sync(&payload::report()).await;
    let cancellation = payload::cancelled(payload::report(), "false\talarm\nsorry");

    let first = alice.sync(&cancellation).await;
    let again = alice.sync(&cancellation).await;

    assert_eq!(first.said(), (200, "cancelled".into()));
    assert_eq!(first.header("location"), "");
    assert_eq!(again.said(), (200, "unchanged".into()));
    assert_eq!(again.body["incident"], first.body["incident"]);
    assert_eq!(alice.kinds(&created.id()).await, ["created", "cancelled"]);
}

#[tokio::test]
async fn a_blank_reason_is_an_error_and_never_a_creation() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for blank in ["", " ", "\n\u{2003}\t"] {
        let answer = alice.sync(&payload::cancelled(payload::report(), blank)).await;
        assert_eq!(answer.said(), (422, "validation-failed".into()));
        assert_eq!(answer.errors(), [("/cancellationReason".into(), "blank".into())]);
    }

    assert_eq!(alice.sync(&payload::report()).await.status, 201);
}
