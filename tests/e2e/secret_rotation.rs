//! The shared secret of tokens is changed while the server runs.

use incident_tests::{Client, Server, Setup, Signer, claims, until};
use serde_json::json;

fn token(secret: &str) -> String {
    Signer::Hs256(secret.into()).sign(&json!({ "alg": "HS256" }), &claims(&json!({})))
}

async fn status(server: &Server, secret: &str) -> u16 {
    Client::new(server.url(), Some(token(secret))).get("/api/incidents").await.status
}

#[tokio::test]
async fn a_hangup_brings_a_new_secret_and_the_one_before_is_taken_meanwhile() {
    let (old, new) = ("old".repeat(11), "new".repeat(11));
    let files = tempfile::TempDir::new().unwrap();
    let (current, previous) = (files.path().join("current"), files.path().join("previous"));
    std::fs::write(&current, &old).unwrap();
    std::fs::write(&previous, "never used, but long enough for a secret").unwrap();
    let setup = Setup::new().flag("--auth-hs256-secret-file", current.to_str().unwrap());
    let setup = setup.flag("--auth-hs256-previous-secret-file", previous.to_str().unwrap());
    let mut server = setup.start().await;
    assert_eq!((status(&server, &old).await, status(&server, &new).await), (200, 401));

    std::fs::write(&previous, &old).unwrap();
    std::fs::write(&current, &new).unwrap();
    server.run().signal("HUP").await;
    until("the new secret is read", async || (status(&server, &new).await == 200).then_some(())).await;

    assert_eq!(status(&server, &old).await, 200);
    assert_eq!(server.stop().await.0.code(), Some(0));
}

#[tokio::test]
async fn a_hangup_with_a_bad_file_changes_nothing() {
    let mut server = Server::start().await;
    let before = server.client("alice");
    std::fs::write(server.data_dir().join("hs256.secret"), "short").unwrap();

    server.run().signal("HUP").await;
    until("the log says so", async || server.log().contains("the old keys serve on").then_some(())).await;

    assert_eq!(before.get("/api/incidents").await.status, 200);
}
