//! Who sees what of one incident.

use incident_tests::{Server, payload};

#[tokio::test]
async fn the_reporter_and_responders_read_an_incident_and_nobody_else() {
    let server = Server::start().await;
    let (alice, bob, responder) = (server.client("alice"), server.client("bob"), server.responder());

    for report in [payload::report(), payload::anonymous(payload::numbered(1))] {
        let created = alice.sync(&report).await;
        for path in [created.header("location"), created.header("location") + "/history"] {
            assert_eq!(alice.get(&path).await.status, 200, "{path}");
            assert_eq!(responder.get(&path).await.status, 200, "{path}");
            assert_eq!(bob.get(&path).await.said(), (404, "not-found".into()), "{path}");
            assert_eq!(server.get(&path).await.said(), (401, "unauthorized".into()), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_hidden_looks_like_what_does_not_exist() {
    let server = Server::start().await;
    let created = server.client("alice").sync(&payload::report()).await;
    let bob = server.client("bob");

    let hidden = bob.get(&created.header("location")).await;

    for other in ["01a202c0-f648-8114-8d97-64d571c679d1", "x", "%00", "..%2f", "01A202C0"] {
        let missing = bob.get(&format!("/api/incidents/{other}")).await;
        assert_eq!((missing.status, &missing.body), (404, &hidden.body), "{other}");
    }
}

#[tokio::test]
async fn the_reporter_is_shown_to_responders_and_never_of_an_anonymous_incident() {
    let server = Server::start().await;
    let (alice, responder) = (server.client("alice"), server.responder());
    let named = alice.sync(&payload::report()).await;
    let unnamed = alice.sync(&payload::anonymous(payload::numbered(1))).await;

    let seen = responder.get(&named.header("location")).await.body;
    let unseen = responder.get(&unnamed.header("location")).await.body;
    let own = alice.get(&named.header("location")).await.body;

    assert_eq!(seen["reporter"], "alice");
    assert_eq!(unseen.get("reporter"), None);
    assert_eq!(own.get("reporter"), None);
    assert_eq!(named.body["incident"].get("reporter"), None);
}

#[tokio::test]
async fn the_scope_must_be_the_whole_word() {
    let server = Server::start().await;
    let created = server.client("alice").sync(&payload::report()).await;

    for (scope, status) in [
        ("incidents:read", 200),
        ("openid incidents:read profile", 200),
        ("incidents:reader", 404),
        ("xincidents:read", 404),
        ("INCIDENTS:READ", 404),
        ("", 404),
    ] {
        let token = server.token("bob", Some(scope));
        let bob = incident_tests::Client::new(server.url(), Some(token));
        assert_eq!(bob.get(&created.header("location")).await.status, status, "{scope}");
    }
}
