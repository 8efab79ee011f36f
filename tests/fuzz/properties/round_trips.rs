//! From a form to the wire and back, and the name that the report has on both sides.

use incident_core::{
    Draft, IdSecret, IdempotencyKey, IncidentId, IncidentKey, OutboxSecret, Reporter, SyncPayload, Timestamp,
};

use super::{input::Input, payloads::is_canonical};

/// Whatever a form gives is refused, or is the same payload after any number of ways through text, under the same key.
///
/// # Panics
/// It does not hold.
pub fn round_trips(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let lengths: [u8; 4] = input.number();
    let (longitude, latitude) = (degrees(&mut input, flags & 1 != 0), degrees(&mut input, flags & 2 != 0));
    let created_at_ms = i64::from_le_bytes(input.number()) >> (flags & 16);
    let reporter = Reporter::parse(&input.text(lengths[0].into()));
    let draft = Draft {
        location_id: input.text(lengths[1].into()),
        room_number: (flags & 4 != 0).then(|| input.text(lengths[2].into())),
        longitude,
        latitude,
        is_anonymous: flags & 8 != 0,
        created_at_ms: Some(created_at_ms),
        cancellation_reason: (flags & 32 != 0).then(|| input.text(usize::from(lengths[3]) * 8)),
    };
    let Ok(payload) = SyncPayload::from_draft(&draft, 0) else {
        return assert!(SyncPayload::from_draft(&draft, 1).is_err(), "the clock matters to nobody here");
    };
    is_canonical(&payload);
    assert_eq!(payload.facts.created_at.unix_ms(), created_at_ms);
    if let Ok(reporter) = reporter {
        is_named_alike(&payload, &reporter);
    }
}

/// Degrees as any double, or as one on earth.
fn degrees(input: &mut Input<'_>, is_any: bool) -> f64 {
    let bits: [u8; 8] = input.number();
    if is_any {
        f64::from_le_bytes(bits)
    } else {
        f64::from(i32::from_le_bytes([bits[0], bits[1], bits[2], bits[3]])) / 1e7
    }
}

fn is_named_alike(payload: &SyncPayload, reporter: &Reporter) {
    let at = payload.facts.created_at;
    let (outbox, server) = (OutboxSecret::new([7; 32]), IdSecret::new(&[9; 32]).expect("it is long enough"));
    let (derived, sealed) =
        (IdempotencyKey::derive(reporter, at), IdempotencyKey::seal(&outbox, reporter, at));
    for key in [derived, sealed] {
        assert_eq!((key.created_at_ms(), key.to_string().parse()), (at.unix_ms(), Ok(key)));
    }
    let resolve = |sent| IncidentKey::resolve(payload, reporter, sent);
    assert_eq!(resolve(None), Ok(IncidentKey::Derived(derived)));
    assert_eq!(resolve(Some(derived)), Ok(IncidentKey::Derived(derived)));
    assert_eq!(resolve(Some(sealed)).ok(), payload.facts.is_anonymous.then_some(IncidentKey::Sealed(sealed)));
    let later = Timestamp::from_unix_ms(at.unix_ms() ^ 1).expect("a millisecond beside");
    assert!(resolve(Some(IdempotencyKey::derive(reporter, later))).is_err(), "the key of another moment");
    for key in [IncidentKey::Derived(derived), IncidentKey::Sealed(sealed)] {
        let id = IncidentId::derive(&server, key);
        assert_eq!((id.created_at(), id.to_string().parse()), (at, Ok(id)));
        assert_eq!(IncidentId::from_bytes(*id.as_bytes()), id);
    }
}
