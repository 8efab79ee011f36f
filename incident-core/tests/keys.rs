//! Which key names a report: what a client may send, and what it cannot take from anybody.

use incident_core::{
    IdSecret, IdempotencyKey, IncidentId, IncidentKey, KeyMismatchError, OutboxSecret, Reporter, SyncPayload,
    decode,
};

fn payload(is_anonymous: bool) -> SyncPayload {
    let text = format!(
        r#"{{"locationId":"w","gpsCoordinates":{{"type":"Point","coordinates":[1,2]}},"isAnonymous":{is_anonymous},"createdAt":"2026-11-22T10:15:30.120Z"}}"#
    );
    decode(text.as_bytes()).unwrap().payload
}

fn reporter(name: &str) -> Reporter {
    Reporter::parse(name).unwrap()
}

fn derived(name: &str) -> IdempotencyKey {
    IdempotencyKey::derive(&reporter(name), payload(true).facts.created_at)
}

fn resolve(is_anonymous: bool, sent: Option<IdempotencyKey>) -> Result<IncidentKey, KeyMismatchError> {
    IncidentKey::resolve(&payload(is_anonymous), &reporter("alice"), sent)
}

#[test]
fn without_a_key_or_with_ones_own_the_key_is_derived() {
    for is_anonymous in [false, true] {
        for sent in [None, Some(derived("alice"))] {
            assert_eq!(resolve(is_anonymous, sent), Ok(IncidentKey::Derived(derived("alice"))));
        }
    }
}

#[test]
fn an_anonymous_report_may_bring_a_key_of_its_own_and_a_named_one_may_not() {
    let secret = OutboxSecret::new([7; 32]);
    let sealed = IdempotencyKey::seal(&secret, &reporter("alice"), payload(true).facts.created_at);
    assert_eq!(resolve(true, Some(sealed)), Ok(IncidentKey::Sealed(sealed)));
    assert_eq!(resolve(false, Some(sealed)), Err(KeyMismatchError));
}

#[test]
fn a_key_of_another_moment_version_or_variant_names_nothing() {
    for other in [
        "01a202c0-f649-81b8-95f2-469ecf9e3f4e",
        "01a202c0-f648-71b8-95f2-469ecf9e3f4e",
        "01a202c0-f648-81b8-d5f2-469ecf9e3f4e",
        "01a202c0-f648-81b8-15f2-469ecf9e3f4e",
    ] {
        assert_eq!(resolve(true, Some(other.parse().unwrap())), Err(KeyMismatchError), "{other}");
    }
}

#[test]
fn nobody_takes_the_name_of_anothers_report_by_sending_their_key() {
    let secret = IdSecret::new(&[1; 32]).unwrap();
    let squatted = resolve(true, Some(derived("bob"))).unwrap();
    assert_eq!(squatted, IncidentKey::Sealed(derived("bob")));
    assert_ne!(IncidentId::derive(&secret, squatted), IncidentId::derive(&secret, derived("bob").into()));
}

#[test]
fn a_named_incident_is_read_by_its_reporter_and_an_anonymous_one_with_its_sealed_key() {
    let to_read =
        |is_anonymous, sent| IncidentKey::to_read(&payload(is_anonymous).facts, &reporter("alice"), sent);
    for sent in [None, Some(derived("bob"))] {
        assert_eq!(to_read(false, sent), Some(IncidentKey::Derived(derived("alice"))));
        assert_eq!(to_read(true, sent), sent.map(IncidentKey::Sealed));
    }
    let own = to_read(true, Some(derived("alice")));
    assert_ne!(own, Some(IncidentKey::Derived(derived("alice"))), "anybody could derive it");
}

#[test]
fn that_one_was_erased_is_known_to_whoever_sends_its_sealed_key() {
    assert_eq!(IncidentKey::to_know_erased(None), None);
    let own = derived("alice");
    assert_eq!(
        IncidentKey::to_know_erased(Some(own)),
        Some(IncidentKey::Sealed(own)),
        "never the derived one"
    );
}
