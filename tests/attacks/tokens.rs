//! Long tokens, one after the other, all of them valid.

use incident_tests::{Client, Server, Signer, claims};
use serde_json::json;

/// 25 MB of text.
const TOKENS: usize = 3000;
/// Just below 8 KiB.
const PADDING: usize = 5_900;
/// The 8 MiB that verified tokens may take, and as much again for the requests themselves.
const MOST_MORE: u64 = 20 << 20;

/// Asks with a token of the greatest length; every one is another.
async fn ask(stranger: &Client, secret: &[u8], number: usize) {
    let padding = format!("{number:05}").repeat(PADDING / 5);
    let claims = claims(&json!({ "sub": format!("nurse {number}"), "padding": padding }));
    let token = Signer::Hs256(secret.to_vec()).sign(&json!({ "alg": "HS256" }), &claims);
    assert!((7_900..=8_192).contains(&token.len()), "{}", token.len());
    assert_eq!(stranger.with_token(token).get("/api/incidents").await.status, 200);
}

#[tokio::test]
async fn tokens_that_are_remembered_are_counted_in_bytes() {
    let mut server = Server::start().await;
    let (stranger, secret) = (server.stranger(), server.secret());
    ask(&stranger, &secret, 0).await;
    let before = server.run().memory_peak();

    for number in 1..TOKENS {
        ask(&stranger, &secret, number).await;
    }

    let more = server.run().memory_peak() - before;
    println!("{} MiB for {TOKENS} tokens of 8 KiB", more >> 20);
    assert!(more < MOST_MORE, "{} MiB", more >> 20);
}
