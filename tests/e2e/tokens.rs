//! Only a valid token opens the door.

use incident_tests::{Answer, Client, Server, Setup, Signer, claims, payload};
use serde_json::{Value, json};

async fn with_token(server: &Server, token: String) -> Answer {
    Client::new(server.url(), Some(token)).get("/api/incidents").await
}

/// Signs claims under the server's own secret; the header says this.
async fn with(server: &Server, header: Value, changes: Value) -> Answer {
    with_token(server, Signer::Hs256(server.secret()).sign(&header, &claims(&changes))).await
}

fn hs256() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

#[tokio::test]
async fn claims_decide_within_their_leeway() {
    let server = Server::start().await;
    let taken = [
        json!({}),
        json!({ "exp": -20 }),
        json!({ "exp": 1000.25, "nbf": -0.5, "iat": -1.75 }),
        json!({ "nbf": 20 }),
        json!({ "sub": "x".repeat(255) }),
        json!({ "scope": "a b" }),
        json!({ "scope": 7 }),
        json!({ "aud": "somebody else", "iss": "anybody" }),
    ];
    let refused = [
        json!({ "exp": -40 }),
        json!({ "exp": -40.5 }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "nbf": 60 }),
        json!({ "nbf": 60.5 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "a\nb" }),
        json!({ "sub": "x".repeat(256) }),
    ];

    for changes in taken {
        assert_eq!(with(&server, hs256(), changes.clone()).await.status, 200, "{changes}");
    }
    for changes in refused {
        let answer = with(&server, hs256(), changes.clone()).await;
        assert_eq!(answer.said(), (401, "unauthorized".into()), "{changes}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"incident-sync\"");
    }
}

#[tokio::test]
async fn the_token_does_not_choose_its_algorithm_or_key() {
    let server = Server::start().await;
    let own = Signer::new("ES256");
    let refused = [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "HS512" }),
        json!({ "alg": "RS256" }),
        json!({}),
        json!({ "alg": "HS256", "crit": ["exp"] }),
        json!({ "alg": "HS256", "crit": null }),
        json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
    ];

    for header in refused {
        assert_eq!(with(&server, header.clone(), json!({})).await.status, 401, "{header}");
    }
    let header = json!({ "alg": "ES256", "jwk": own.jwk("x"), "jku": "http://127.0.0.1:1/", "kid": "x" });
    assert_eq!(with_token(&server, own.sign(&header, &claims(&json!({})))).await.status, 401);
    let unsigned =
        with_token(&server, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6OTk5OTk5OTk5OX0.".into()).await;
    assert_eq!(unsigned.status, 401);
    assert_eq!(with(&server, json!({ "alg": "HS256", "kid": "any" }), json!({})).await.status, 200);
}

#[tokio::test]
async fn a_signature_under_another_secret_or_none_is_refused() {
    let server = Server::start().await;
    let good = server.token("alice", None);
    let other = Signer::Hs256(vec![7; 32]).sign(&hs256(), &claims(&json!({})));
    let (unsigned, _) = good.rsplit_once('.').unwrap();

    for token in
        [other, unsigned.to_owned(), format!("{unsigned}."), format!("{good}x"), "x".into(), "..".into()]
    {
        assert_eq!(with_token(&server, token.clone()).await.status, 401, "{token}");
    }
    assert_eq!(with_token(&server, good).await.status, 200);
}

#[tokio::test]
async fn the_header_is_one_bearer_token() {
    let server = Server::start().await;
    let token = server.token("alice", None);
    let send = async |values: &[String]| {
        let request = server.stranger().request(reqwest::Method::POST, "/api/incidents/sync");
        let request = values.iter().fold(request, |request, value| request.header("authorization", value));
        Answer::to(request.json(&payload::report())).await.status
    };

    assert!(send(&[format!("bEARER {token}")]).await < 300);
    for refused in [
        vec![],
        vec![token.clone()],
        vec![format!("Basic {token}")],
        vec!["Bearer".into()],
        vec!["Bearer ".into()],
        vec![format!("Bearer {token}"), format!("Bearer {token}")],
    ] {
        assert_eq!(send(&refused).await, 401, "{refused:?}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_required_where_configured() {
    let setup = Setup::new().flag("--auth-issuer", "https://id.example").flag("--auth-audience", "incidents");
    let server = setup.start().await;
    let both = json!({ "iss": "https://id.example", "aud": "incidents" });

    let taken = [both.clone(), json!({ "iss": "https://id.example", "aud": ["other", "incidents"] })];
    let refused = [
        json!({}),
        json!({ "iss": "https://id.example" }),
        json!({ "aud": "incidents" }),
        json!({ "iss": "https://id.example/", "aud": "incidents" }),
        json!({ "iss": "https://id.example", "aud": "incident" }),
        json!({ "iss": "https://id.example", "aud": ["other"] }),
        json!({ "iss": 7, "aud": "incidents" }),
        json!({ "iss": ["https://id.example"], "aud": "incidents" }),
        json!({ "iss": "https://id.example", "aud": 7 }),
    ];

    for changes in taken {
        assert_eq!(with(&server, hs256(), changes.clone()).await.status, 200, "{changes}");
    }
    for changes in refused {
        assert_eq!(with(&server, hs256(), changes.clone()).await.status, 401, "{changes}");
    }
    let without = with(&server, hs256(), json!({})).await;
    assert!(without.body["detail"].as_str().unwrap().contains("lacks a required claim"), "{without:?}");
}

#[tokio::test]
async fn a_claim_that_is_there_and_cannot_be_read_is_not_said_to_be_missing() {
    let server = Setup::new().flag("--auth-audience", "incidents").start().await;
    for (claim, value) in
        [("exp", json!(1e300)), ("exp", json!(-1e10)), ("nbf", json!("x")), ("aud", json!([["incidents"]]))]
    {
        let mut changes = json!({ "aud": "incidents" });
        changes[claim] = value.clone();
        let refused = with(&server, hs256(), changes).await;
        assert_eq!(refused.status, 401, "{claim} {value}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(claim) && detail.contains("cannot be read"), "{claim} {value}: {detail}");
    }
}

#[tokio::test]
async fn a_token_longer_than_8_kib_is_refused_unread() {
    let server = Server::start().await;
    let of = async |padding: usize| {
        let answer = with(&server, hs256(), json!({ "padding": "x".repeat(padding) })).await;
        (answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned())
    };

    assert_eq!(of(5900).await.0, 200);
    assert_eq!(of(6300).await, (401, "the access token is longer than 8 KiB".into()));
}

#[tokio::test]
async fn a_token_without_a_name_or_an_end_is_told_what_it_lacks() {
    let server = Server::start().await;

    for changes in [json!({ "sub": null }), json!({ "exp": null }), json!({ "sub": 7 })] {
        let refused = with(&server, hs256(), changes.clone()).await;
        assert_eq!(refused.status, 401, "{changes}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("`sub`") && detail.contains("`exp`"), "{changes}: {detail}");
    }
}
