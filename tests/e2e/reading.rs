//! Who sees what of one incident.

use incident_tests::{
    Server,
    incident_keys::{derived, sealed},
    payload,
};

#[tokio::test]
async fn the_reporter_and_responders_read_an_incident_and_nobody_else() {
    let server = Server::start().await;
    let (alice, bob, responder) = (server.client("alice"), server.client("bob"), server.responder());
    let created = alice.sync(&payload::report()).await;

    for path in [created.header("location"), created.header("location") + "/history"] {
        assert_eq!(alice.get(&path).await.status, 200, "{path}");
        assert_eq!(alice.get_with_key(&path, "x").await.status, 200, "a named one needs no key: {path}");
        assert_eq!(responder.get(&path).await.status, 200, "{path}");
        assert_eq!(bob.get(&path).await.said(), (404, "not-found".into()), "{path}");
        let hers = derived("alice", &payload::report());
        assert_eq!(bob.get_with_key(&path, &hers).await.said(), (404, "not-found".into()), "{path}");
        assert_eq!(server.get(&path).await.said(), (401, "unauthorized".into()), "{path}");
    }
}

#[tokio::test]
async fn an_anonymous_incident_is_read_with_its_sealed_key_by_anybody_and_without_it_by_responders_alone() {
    let server = Server::start().await;
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);
    let created = server.client("alice").sync_with_key(&report, &key).await;

    for path in [created.header("location"), created.header("location") + "/history"] {
        for sub in ["alice", "bob"] {
            let client = server.client(sub);
            for spelled in [key.clone(), format!("\"{key}\""), key.to_uppercase()] {
                assert_eq!(client.get_with_key(&path, &spelled).await.status, 200, "{sub} {spelled}");
            }
            assert_eq!(client.get(&path).await.said(), (404, "not-found".into()), "{sub} {path}");
            for wrong in [sealed(8, "alice", &report), derived("alice", &report), "x".into(), String::new()] {
                let answer = client.get_with_key(&path, &wrong).await;
                assert_eq!(answer.said(), (404, "not-found".into()), "{sub} {wrong}");
            }
        }
        assert_eq!(server.responder().get(&path).await.status, 200, "{path}");
        assert_eq!(server.stranger().get_with_key(&path, &key).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn an_anonymous_incident_under_a_derived_key_is_read_by_responders_alone() {
    let server = Server::start().await;
    let report = payload::anonymous(payload::report());
    let created = server.client("alice").sync(&report).await;

    for path in [created.header("location"), created.header("location") + "/history"] {
        for sub in ["alice", "bob"] {
            assert_eq!(server.client(sub).get(&path).await.said(), (404, "not-found".into()), "{sub} {path}");
            let answer = server.client(sub).get_with_key(&path, &derived("alice", &report)).await;
            assert_eq!(answer.said(), (404, "not-found".into()), "anybody can guess it: {sub} {path}");
        }
        assert_eq!(server.responder().get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn nobody_finds_a_reporter_by_asking_as_everybody() {
    let server = Server::unlimited().await;
    let (by_derived, by_sealed) = (payload::numbered(1), payload::numbered(2));
    let reports = [by_derived, by_sealed].map(payload::anonymous);
    let alice = server.client("alice");
    let key = sealed(7, "alice", &reports[1]);
    let created = [alice.sync(&reports[0]).await, alice.sync_with_key(&reports[1], &key).await];

    for (report, created) in reports.iter().zip(created) {
        for sub in ["alice", "bob", "carol"] {
            let (client, path) = (server.client(sub), created.header("location"));
            let tried = [
                client.get(&path).await,
                client.get_with_key(&path, &derived(sub, report)).await,
                client.get(&format!("{path}/history")).await,
                client.get_with_key(&format!("{path}/history"), &derived(sub, report)).await,
            ];
            assert!(tried.iter().all(|answer| answer.status == 404), "{sub}: {tried:?}");
            assert_eq!(client.get("/api/incidents").await.body["incidents"], serde_json::json!([]), "{sub}");
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
