//! Tokens that anybody may make up, and such that the issuer signed whatever they say.

use std::cell::RefCell;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use incident_core::{Reporter, Timestamp};
use incident_server::{
    auth::Verifier,
    fuzzing::{Bearer, bearer},
};
use serde_json::Value;

use super::input::Input;

const SECRET: [u8; 32] = [7; 32];
const NOW_S: i64 = 1_795_348_800;
const LEEWAY_S: f64 = 30.0;
/// So often a verifier is made anew: it remembers tokens and identities.
const MOST: usize = 2_000;

thread_local! {
    static VERIFIERS: RefCell<(usize, [Verifier; 2])> = RefCell::new((0, verifiers()));
}

fn verifiers() -> [Verifier; 2] {
    let named = |name: &str| Some(name.to_owned());
    [Verifier::hs256(&SECRET, None, None), Verifier::hs256(&SECRET, named("issuer"), named("audience"))]
}

/// Nobody is let in but by the secret, and by claims that say who and until when.
///
/// # Panics
/// It does not hold.
pub fn tokens(data: &[u8]) {
    let mut input = Input(data);
    let (kind, length) = (input.byte(), input.byte());
    let is_strict = kind & 1 != 0;
    if kind & 2 == 0 {
        let text = String::from_utf8_lossy(input.0);
        return assert_eq!(taken(is_strict, &text), None, "nobody signed it");
    }
    let (header, claims) = (input.bytes(length.into()), input.0);
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let mut signature =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET), message.as_bytes()).as_ref().to_vec();
    if kind & 4 != 0 {
        signature[usize::from(kind >> 3)] ^= 1;
        let token = format!("{message}.{}", BASE64.encode(signature));
        return assert_eq!(taken(is_strict, &token), None, "the signature is another");
    }
    let token = format!("{message}.{}", BASE64.encode(signature));
    let found = taken(is_strict, &token);
    // A claim that nobody asks for may hold what no tree of values does.
    let [header, claims] = [header, claims].map(|part| serde_json::from_slice(part).ok());
    if let (Some(bearer), Some(header), Some(claims)) = (&found, header, claims) {
        says_so(bearer, &header, &claims, is_strict);
    }
    assert_eq!(taken(is_strict, &token), found, "a second look is another");
}

fn taken(is_strict: bool, token: &str) -> Option<Bearer> {
    let now = Timestamp::from_unix_ms(NOW_S * 1000).expect("a moment");
    VERIFIERS.with_borrow_mut(|(count, all)| {
        *count += 1;
        if *count % MOST == 0 {
            *all = verifiers();
        }
        bearer(&all[usize::from(is_strict)], token, now)
    })
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
fn says_so(bearer: &Bearer, header: &Value, claims: &Value, is_strict: bool) {
    assert_eq!(
        (header["alg"].as_str(), header.get("crit").filter(|crit| !crit.is_null())),
        (Some("HS256"), None)
    );
    assert_eq!(claims["sub"].as_str(), Some(&bearer.sub[..]));
    assert!(Reporter::parse(&bearer.sub).is_ok());
    let now = NOW_S as f64;
    assert!(
        claims["exp"].as_f64().is_some_and(|exp| exp + LEEWAY_S > now) && bearer.expires_at_ms > NOW_S * 1000
    );
    assert!(claims["nbf"].as_f64().is_none_or(|nbf| nbf - LEEWAY_S <= now + 0.001));
    let scopes: Vec<_> = claims["scope"].as_str().unwrap_or_default().split(' ').collect();
    assert_eq!(bearer.may_read_all, scopes.contains(&"incidents:read"));
    assert_eq!(bearer.may_erase, scopes.contains(&"incidents:erase"));
    if is_strict {
        assert_eq!(claims["iss"], "issuer");
        let of = &claims["aud"];
        assert!(of == "audience" || of.as_array().is_some_and(|all| all.contains(&"audience".into())));
    }
}
