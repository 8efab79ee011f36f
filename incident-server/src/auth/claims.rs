//! What a token says, and what is said of one that is not taken.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::errors::ErrorKind;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) exp: f64,
    pub(super) nbf: Option<f64>,
    pub(super) iss: Option<Value>,
    pub(super) scope: Option<Value>,
}

/// Whether the header has a `crit` of whatever value (RFC 7515, section 4.1.11): read as a field, `null` is none.
pub(super) fn names_crit(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    serde_json::from_slice::<Value>(&header).map_or(true, |header| header.get("crit").is_some())
}

#[expect(clippy::cast_possible_truncation, reason = "a float-to-int cast saturates")]
pub(super) fn unix_ms(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

pub(super) fn explain(error: &jsonwebtoken::errors::Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidIssuer => "the access token comes from another issuer",
        ErrorKind::InvalidAudience => "the access token is for another audience",
        ErrorKind::InvalidSignature => "the access token's signature does not verify",
        ErrorKind::MissingRequiredClaim(_) => {
            "the access token lacks a required claim, or it cannot be read: exp, sub, and iss and aud where configured"
        }
        // The signature is right, so that the claims are what cannot be read.
        ErrorKind::Json(_) => {
            "a claim of the access token is missing or cannot be read: it must have a `sub`, which is a text, and an \
             `exp`, in seconds, as `nbf` is where there is one"
        }
        _ => "the access token is not valid",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_fault_of_a_token_is_told_in_words_of_its_own() {
        let faults = [
            ErrorKind::InvalidIssuer,
            ErrorKind::InvalidAudience,
            ErrorKind::InvalidSignature,
            ErrorKind::MissingRequiredClaim("exp".to_owned()),
            ErrorKind::Json(serde_json::from_str::<Claims>("{}").err().unwrap().into()),
            ErrorKind::InvalidToken,
        ];

        let words: BTreeSet<_> = faults.map(|fault| explain(&fault.into())).into();

        assert_eq!(words.len(), 6, "{words:?}");
    }
}
