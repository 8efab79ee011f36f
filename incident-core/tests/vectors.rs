//! The known answers of the contract: any implementation of a client may test itself against the same files.

use incident_core::{
    DecodeError, IdSecret, IdempotencyKey, IncidentId, IncidentKey, OutboxSecret, Reporter, Timestamp, decode,
};
use serde_json::Value;

fn vectors(text: &str, section: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    let found = file[section].as_array().unwrap().clone();
    assert!(!found.is_empty(), "{section} has no vectors");
    found
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> =
        hex.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn keys(section: &str) -> Vec<Value> {
    vectors(include_str!("vectors/keys.json"), section)
}

fn payloads(section: &str) -> Vec<Value> {
    vectors(include_str!("vectors/payloads.json"), section)
}

#[test]
fn every_key_vector_gives_its_key() {
    for vector in keys("keys") {
        let text = |name: &str| vector[name].as_str().unwrap();
        let created_at: Timestamp = text("createdAt").parse().unwrap();
        let key = IdempotencyKey::derive(&Reporter::parse(text("reporter")).unwrap(), created_at);
        assert_eq!(created_at.to_string(), text("canonicalCreatedAt"));
        assert_eq!(created_at.unix_ms(), vector["unixMilliseconds"].as_i64().unwrap());
        assert_eq!(key.to_string(), text("idempotencyKey"), "{vector}");
    }
}

#[test]
fn every_sealed_key_vector_gives_its_key_and_its_id() {
    for vector in vectors(include_str!("vectors/sealed-keys.json"), "sealedKeys") {
        let text = |name: &str| vector[name].as_str().unwrap();
        let secret = OutboxSecret::new(bytes(text("secretHex")).try_into().unwrap());
        let created_at: Timestamp = text("createdAt").parse().unwrap();
        let key = IdempotencyKey::seal(&secret, &Reporter::parse(text("reporter")).unwrap(), created_at);
        assert_eq!(key.to_string(), text("idempotencyKey"), "{vector}");
        assert_eq!(key.created_at_ms(), vector["unixMilliseconds"].as_i64().unwrap());
        let id_secret = IdSecret::new(&bytes(text("idSecretHex"))).unwrap();
        let id = IncidentId::derive(&id_secret, IncidentKey::Sealed(key));
        assert_eq!(id.to_string(), text("incidentId"), "{vector}");
    }
}

#[test]
fn every_refused_timestamp_is_refused() {
    for text in keys("refusedTimestamps") {
        assert!(text.as_str().unwrap().parse::<Timestamp>().is_err(), "{text}");
    }
}

#[test]
fn every_accepted_payload_has_its_canonical_form_and_warnings() {
    for vector in payloads("accepted") {
        let decoded = decode(vector["payload"].as_str().unwrap().as_bytes()).unwrap();
        let ignored: Vec<_> = decoded.warnings.iter().map(|warning| warning.pointer.as_str()).collect();
        let expected: Vec<_> =
            vector["ignored"].as_array().into_iter().flatten().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(decoded.payload.to_canonical_json(), vector["canonical"].as_str().unwrap());
        assert_eq!(ignored, expected);
    }
}

#[test]
fn every_refused_payload_is_refused_with_all_its_violations() {
    for vector in payloads("refused") {
        let refusal = decode(vector["payload"].as_str().unwrap().as_bytes()).unwrap_err();
        let DecodeError::Invalid(violations) = refusal else { panic!("{vector}: {refusal}") };
        let found: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.code.as_str())).collect();
        let expected: Vec<_> = (vector["errors"].as_array().unwrap().iter())
            .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect();
        assert_eq!(found, expected, "{vector}");
    }
}
