//! Tokens of an identity provider: its key set in a file or at a URL, and what happens when it changes.

use incident_tests::{Client, Events, Setup, Signer, claims, token, until};
use serde_json::{Value, json};

use crate::issuer::{Issuer, status, with_file};

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
    assert!(!server.log().contains("has no key that can be used here"), "it has one");

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
async fn a_set_without_audience_is_warned_of_and_one_with_both_is_not() {
    let issuer = Issuer::start(0, &[Signer::new("EdDSA").jwk("a")]).await;
    let server = async |flags: &[(&str, &str)]| {
        let setup = Setup::new().flag("--auth-jwks", issuer.url());
        let setup = flags.iter().fold(setup, |setup, (name, value)| setup.flag(name, *value));
        setup.start().await
    };

    let neither = server(&[]).await;
    let issuer_alone = server(&[("--auth-issuer", "https://id.example")]).await;
    let both = server(&[("--auth-issuer", "https://id.example"), ("--auth-audience", "incidents")]).await;

    neither.logs("every token under these keys is taken").await;
    issuer_alone.logs("made for other programs are taken, too").await;
    let log = both.stop().await.1;
    assert!(!log.contains("are taken") && !log.contains("is taken"), "{log}");
}
