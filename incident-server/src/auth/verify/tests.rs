use jsonwebtoken::{EncodingKey, encode};

use super::{super::TokenRequest, *};
use crate::auth::mint_hs256;

const NOON_MS: i64 = 1_795_348_800_000;

/// Whether a token of noon that is valid for an hour is taken so many seconds after noon.
async fn is_taken(verifier: &Verifier, after_seconds: i64) -> bool {
    let at = |seconds| Timestamp::from_unix_ms(NOON_MS + seconds * 1000).unwrap();
    let ttl = std::time::Duration::from_secs(3600);
    let request = TokenRequest { sub: "alice", scope: None, issuer: None, audience: None, ttl };
    verifier.verify(&mint_hs256(&[7; 32], request, at(0)), at(after_seconds)).await.is_ok()
}

#[tokio::test]
async fn a_token_is_judged_by_the_clock_of_the_server_whether_it_was_seen_before_or_not() {
    let seen = Verifier::hs256(&[7; 32], None, None);
    for (after_seconds, expected) in [(0, true), (3629, true), (3630, false), (90_000, false)] {
        let unseen = Verifier::hs256(&[7; 32], None, None);
        assert_eq!(is_taken(&unseen, after_seconds).await, expected, "{after_seconds} s");
        assert_eq!(is_taken(&seen, after_seconds).await, expected, "{after_seconds} s, seen");
    }
}

#[tokio::test]
async fn a_token_is_taken_from_half_a_minute_before_it_is_valid_on() {
    let verifier = Verifier::hs256(&[7; 32], None, None);
    let claims = serde_json::json!({"sub": "alice", "exp": NOON_MS / 1000 + 3600, "nbf": NOON_MS / 1000});
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(&[7; 32])).unwrap();
    for (before_ms, expected) in [(30_001, false), (30_000, true)] {
        let now = Timestamp::from_unix_ms(NOON_MS - before_ms).unwrap();
        assert_eq!(verifier.verify(&token, now).await.is_ok(), expected, "{before_ms} ms before");
    }
}

#[tokio::test]
async fn the_issuer_is_asked_for_its_keys_of_today() {
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", issuer.local_addr().unwrap());
    let keys = CurrentKeys::new(KeySet::default(), Some(KeySource::Issuer(url.parse().unwrap())));
    let verifier = Verifier::new(keys, None, None);

    tokio::select! {
        biased;
        asked = issuer.accept() => assert!(asked.is_ok()),
        () = verifier.refresh() => panic!("not asked"),
    }
}

#[test]
fn who_has_nothing_under_way_is_forgotten() {
    let verifier = Verifier::hs256(&[7; 32], None, None);
    let usage = Arc::downgrade(&verifier.usages.of(&Reporter::parse("alice").unwrap()));

    verifier.forget_idle();

    assert!(usage.upgrade().is_none());
}

#[tokio::test]
async fn what_is_wrong_with_a_token_that_a_known_key_has_signed_is_nothing_to_ask_the_issuer() {
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", issuer.local_addr().unwrap());
    let keys = CurrentKeys::new(KeySet::hs256(&[&[7; 32]]), Some(KeySource::Issuer(url.parse().unwrap())));
    let verifier = Verifier::new(keys, Some("https://id.example".to_owned()), None);
    let (ttl, now) = (Duration::from_secs(3600), Timestamp::from_unix_ms(NOON_MS).unwrap());
    let request = TokenRequest { sub: "alice", scope: None, issuer: Some("another"), audience: None, ttl };
    let token = mint_hs256(&[7; 32], request, now);

    tokio::select! {
        biased;
        _ = issuer.accept() => panic!("asked"),
        refused = verifier.verify(&token, now) => {
            let because = refused.err().map(|refused| refused.to_string());
            assert_eq!(because.as_deref(), Some("the access token comes from another issuer"));
        }
    }
}
