//! Tokens of an identity provider: its key set in a file or at a URL, and what happens when it changes.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use incident_tests::{Client, Events, Server, Setup, Signer, claims, token, until};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

use crate::start::refused;

async fn status(server: &Server, token: String) -> u16 {
    Client::new(server.url(), Some(token)).get("/api/incidents").await.status
}

/// An identity provider that publishes keys.
struct Issuer {
    keys: Arc<Mutex<Value>>,
    port: u16,
    serving: JoinHandle<()>,
}

impl Issuer {
    async fn start(port: u16, keys: &[Value]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let keys = Arc::new(Mutex::new(json!({ "keys": keys })));
        let published = Arc::clone(&keys);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let body = if request[..read].starts_with(b"GET /.well-known/openid-configuration ") {
                    let name = format!("http://127.0.0.1:{port}");
                    json!({ "issuer": name, "jwks_uri": format!("{name}/jwks.json") }).to_string()
                } else {
                    published.lock().unwrap().to_string()
                };
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self { keys, port, serving }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = json!({ "keys": keys });
    }

    async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

async fn with_file(keys: &[Value]) -> Server {
    let setup = Setup::new();
    let file = setup.data_dir().join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    setup.flag("--auth-jwks", file.to_str().unwrap()).start().await
}

#[tokio::test]
async fn keys_of_every_kind_serve_and_unknown_kinds_are_passed_over() {
    let signers = ["RS256", "ES256", "EdDSA"].map(Signer::new);
    let mut keys = vec![
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "future", "pub": "AAAA" }),
        json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }),
        json!({ "kty": "EC", "crv": "P-521", "kid": "p521", "x": "AA", "y": "AA" }),
        json!("no key"),
    ];
    keys.extend(signers.iter().map(|signer| signer.jwk(signer.algorithm())));
    let server = with_file(&keys).await;

    for signer in &signers {
        let algorithm = signer.algorithm();
        assert_eq!(status(&server, token(signer, Some(algorithm))).await, 200, "{algorithm}");
        assert_eq!(status(&server, token(signer, None)).await, 200, "{algorithm} without kid");
        assert_eq!(
            status(&server, token(&Signer::new(algorithm), Some(algorithm))).await,
            401,
            "a forged {algorithm}"
        );
    }
    let shared = Signer::Hs256(b"secretsecretsecretsecretsecret".to_vec());
    assert_eq!(status(&server, token(&shared, Some("shared"))).await, 401);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let signer = Signer::new("RS256");
    let jwk = signer.jwk("a");
    let server = with_file(std::slice::from_ref(&jwk)).await;
    let confused = Signer::Hs256(jwk["n"].as_str().unwrap().as_bytes().to_vec());

    let answer =
        status(&server, confused.sign(&json!({ "alg": "HS256", "kid": "a" }), &claims(&json!({})))).await;

    assert_eq!(answer, 401);
}

#[tokio::test]
async fn a_new_key_is_picked_up_and_an_old_one_forgotten() {
    let (old, new) = (Signer::new("EdDSA"), Signer::new("ES256"));
    let issuer = Issuer::start(0, &[old.jwk("old")]).await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).flag("--rate-limit", "off").start().await;
    assert_eq!(status(&server, token(&old, Some("old"))).await, 200);

    issuer.publish(&[new.jwk("new")]);

    assert_eq!(status(&server, token(&new, Some("new"))).await, 200, "at once, however soon after the start");
    assert_eq!(status(&server, token(&old, Some("old"))).await, 401);
}

#[tokio::test]
async fn a_new_key_is_noticed_at_once_although_no_token_names_its_key() {
    let (old, new) = (Signer::new("ES256"), Signer::new("ES256"));
    let issuer = Issuer::start(0, &[old.jwk("old")]).await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).start().await;
    assert_eq!(status(&server, token(&old, None)).await, 200);

    issuer.publish(&[new.jwk("new")]);

    assert_eq!(status(&server, token(&new, None)).await, 200);
}

#[tokio::test]
async fn a_set_without_a_key_refuses_nobody_who_was_taken_before() {
    let signer = Signer::new("EdDSA");
    let issuer = Issuer::start(0, &[signer.jwk("a")]).await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).start().await;

    issuer.publish(&[]);
    assert_eq!(status(&server, token(&signer, Some("unknown"))).await, 401, "the issuer is asked");

    assert_eq!(status(&server, token(&signer, Some("a"))).await, 200);
    until("the log says so", async || {
        server.log().contains("has no key that can be used here").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_withdrawn() {
    let (old, new) = (Signer::new("EdDSA"), Signer::new("ES256"));
    let issuer = Issuer::start(0, &[old.jwk("old")]).await;
    let server = Setup::new().flag("--auth-jwks", issuer.url()).start().await;
    let header = json!({ "alg": "EdDSA", "kid": "old" });
    let responder = old.sign(&header, &claims(&json!({ "scope": "incidents:read" })));
    let responder = Client::new(server.url(), Some(responder));
    let events = Events::open(&responder, "", None).await.ok().unwrap();

    issuer.publish(&[new.jwk("new")]);
    assert_eq!(status(&server, token(&new, Some("new"))).await, 200);

    events.end().await;
}

#[tokio::test]
async fn an_issuer_says_itself_where_its_keys_are_and_its_tokens_name_it() {
    let signer = Signer::new("EdDSA");
    let issuer = Issuer::start(0, &[signer.jwk("a")]).await;
    let name = format!("http://127.0.0.1:{}", issuer.port);
    let server = Setup::new().flag("--auth-oidc-issuer", &name).start().await;
    let of = |iss: serde_json::Value| {
        signer.sign(&json!({ "alg": "EdDSA", "kid": "a" }), &claims(&json!({ "iss": iss })))
    };

    assert_eq!(status(&server, of(json!(name))).await, 200);
    for other in [json!(format!("{name}/")), json!([name]), json!("http://another"), Value::Null] {
        assert_eq!(status(&server, of(other.clone())).await, 401, "{other}");
    }
}

#[tokio::test]
async fn keys_on_this_machine_are_fetched_past_any_proxy() {
    let signer = Signer::new("EdDSA");
    let issuer = Issuer::start(0, &[signer.jwk("a")]).await;
    let setup = Setup::new().flag("--auth-jwks", issuer.url());

    let server = setup.variable("http_proxy", "http://127.0.0.1:1").start().await;

    assert_eq!(status(&server, token(&signer, Some("a"))).await, 200);
}

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
    assert!(server.log().contains("the key set has no key that can be used here"), "{}", server.log());
    assert_eq!(status(&server, token(&Signer::new("EdDSA"), None)).await, 503);
}

#[tokio::test]
async fn a_set_without_audience_is_warned_of_and_one_with_both_is_not() {
    let issuer = Issuer::start(0, &[Signer::new("EdDSA").jwk("a")]).await;
    let log = async |flags: &[(&str, &str)]| {
        let setup = Setup::new().flag("--auth-jwks", issuer.url());
        let setup = flags.iter().fold(setup, |setup, (name, value)| setup.flag(name, *value));
        setup.start().await.log()
    };

    let neither = log(&[]).await;
    let issuer_alone = log(&[("--auth-issuer", "https://id.example")]).await;
    let both = log(&[("--auth-issuer", "https://id.example"), ("--auth-audience", "incidents")]).await;

    assert!(neither.contains("every token under these keys is taken"), "{neither}");
    assert!(issuer_alone.contains("made for other programs are taken, too"), "{issuer_alone}");
    assert!(!both.contains("are taken") && !both.contains("is taken"), "{both}");
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
    let log = async |url: String| Setup::new().flag("--auth-jwks", url).start().await.log();

    let unknown = log(format!("https://localhost:{port}/keys")).await;
    let no_tls = log(format!("https://127.0.0.1:{}/keys", issuer.port)).await;
    let no_name = log("https://login.invalid/keys".to_owned()).await;

    for (log, because) in
        [(unknown, "invalid peer certificate"), (no_tls, "InvalidContentType"), (no_name, "lookup address")]
    {
        assert!(log.contains("no key set yet") && log.contains(because), "{because}: {log}");
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
    assert!(server.log().contains("they did not come within 5 s"), "{}", server.log());
    assert_eq!(server.stop().await.0.code(), Some(0));
}
