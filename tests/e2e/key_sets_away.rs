//! Tokens of an identity provider that is away, or whose keys cannot be read.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use incident_tests::{Client, Setup, Signer, payload, token, until};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::sleep,
};

use crate::{
    issuer::{Issuer, status, with_file},
    start::refused,
};

#[tokio::test]
async fn the_old_keys_serve_while_the_issuer_is_away() {
    let signer = Signer::new("EdDSA");
    let issuer = Issuer::start(0, &[signer.jwk("a")]).await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).flag("--rate-limit", "off").start().await;
    assert_eq!(status(&server, token(&signer, Some("a"))).await, 200);

    issuer.stop().await;
    until("the server has noticed", async || {
        assert_eq!(status(&server, token(&Signer::new("EdDSA"), Some("unknown"))).await, 401);
        server.log().contains("the old keys serve on").then_some(())
    })
    .await;

    assert_eq!(status(&server, token(&signer, Some("a"))).await, 200);
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_is_503_until_it_comes() {
    let signer = Signer::new("EdDSA");
    let issuer = Issuer::start(0, &[]).await;
    let (port, url) = (issuer.port, issuer.url());
    issuer.stop().await;
    let server = Setup::new().flag("--auth-jwks", url).start().await;

    let nobody_can_be_judged = status(&server, token(&signer, Some("a"))).await;
    let _issuer = Issuer::start(port, &[signer.jwk("a")]).await;

    assert_eq!(nobody_can_be_judged, 503);
    until("the issuer is found", async || {
        (status(&server, token(&signer, Some("a"))).await == 200).then_some(())
    })
    .await;
}

/// Each wait takes nearly all of the time that it may take.
#[tokio::test]
async fn a_sync_that_waits_for_its_key_its_turn_and_its_commit_is_answered_within_ten_seconds() {
    let (old, new) = (Signer::new("EdDSA"), Signer::new("EdDSA"));
    let issuer = Issuer::start(0, &[old.jwk("old")]).await;
    let server = Setup::on_sqlite().flag("--auth-jwks", issuer.url()).start().await;
    let _lock = server.database().stop_writers().await;
    issuer.publish(&[new.jwk("new")]);
    issuer.delay(Duration::from_millis(4_500));
    let with = |signer, kid| Client::new(server.url(), Some(token(signer, Some(kid))));
    let (first, last) = (with(&old, "old"), with(&new, "new"));
    let report = payload::report();

    let sent = Instant::now();
    let (answer, _) = tokio::join!(last.sync(&report), async {
        sleep(Duration::from_millis(4_200)).await;
        first.sync(&report).await
    });

    assert_eq!(answer.said(), (503, "overloaded".into()));
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
}

#[tokio::test]
async fn a_set_without_a_usable_key_is_told_at_the_start() {
    let unusable =
        [json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" })];
    let setup = Setup::new();
    let file = setup.data_dir().join("jwks.json");
    std::fs::write(&file, json!({ "keys": unusable }).to_string()).unwrap();
    let issuer = Issuer::start(0, &unusable).await;

    let with_file = setup.program().args(["--auth-jwks", file.to_str().unwrap()]).output().await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).start().await;

    refused(&with_file, "has no key that can be used here (RS256, ES256, EdDSA)");
    server.logs("the key set has no key that can be used here").await;
    assert_eq!(status(&server, token(&Signer::new("EdDSA"), None)).await, 503);
}

/// A server with a certificate that nobody has heard of; it publishes nothing.
async fn unknown_authority(directory: &std::path::Path) -> (tokio::process::Child, u16) {
    let openssl = |line: &str| {
        let mut command = tokio::process::Command::new("openssl");
        command.args(line.split(' ')).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("openssl is installed")
    };
    let certificate = "req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -days 1 -subj /CN=localhost \
                       -addext subjectAltName=DNS:localhost";
    assert!(openssl(certificate).wait().await.unwrap().success());
    let mut serving = openssl("s_server -accept 127.0.0.1:0 -key key -cert certificate -www");
    let mut said = BufReader::new(serving.stdout.take().unwrap()).lines();
    loop {
        let line = said.next_line().await.unwrap().expect("it says where it listens");
        if let Some(port) = line.strip_prefix("ACCEPT 127.0.0.1:") {
            return (serving, port.parse().unwrap());
        }
    }
}

#[tokio::test]
async fn why_a_set_behind_tls_cannot_be_fetched_is_told() {
    let directory = tempfile::TempDir::new().unwrap();
    let (_serving, port) = unknown_authority(directory.path()).await;
    let issuer = Issuer::start(0, &[]).await;
    let unknown = format!("https://localhost:{port}/keys");
    let no_tls = format!("https://127.0.0.1:{}/keys", issuer.port);
    let no_name = "https://login.invalid/keys".to_owned();

    for (url, because) in
        [(unknown, "invalid peer certificate"), (no_tls, "InvalidContentType"), (no_name, "lookup address")]
    {
        let server = Setup::new().flag("--auth-jwks", url).start().await;
        server.logs("no key set yet").await;
        server.logs(because).await;
    }
}

#[tokio::test]
async fn a_file_of_keys_that_cannot_be_read_to_its_end_holds_nobody_up_for_ever() {
    let signer = Signer::new("EdDSA");
    let server = with_file(&[signer.jwk("a")]).await;
    let file = server.data_dir().join("jwks.json");
    std::fs::remove_file(&file).unwrap();
    // A pipe that nobody writes into, as a file on a network disk that has gone.
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());

    assert_eq!(status(&server, token(&Signer::new("EdDSA"), Some("unknown"))).await, 401);

    assert_eq!(status(&server, token(&signer, Some("a"))).await, 200);
    server.logs("they did not come within 5 s").await;
    assert_eq!(server.stop().await.0.code(), Some(0));
}
