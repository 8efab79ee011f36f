//! Many payloads in one text.

use incident_core::{
    BatchError, BatchItem, IdempotencyKey, MAX_BATCH_ITEMS, SyncPayload, decode, decode_batch, encode_batch,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    incidents: Vec<&'a RawValue>,
}

/// Each payload of a batch is judged as if it were alone, and has the key that stands at its place.
///
/// # Panics
/// It does not hold.
pub fn batches(data: &[u8]) {
    let envelope = serde_json::from_slice::<Envelope<'_>>(data);
    match decode_batch(data) {
        Ok(items) => {
            assert!(items.len() <= MAX_BATCH_ITEMS);
            if let Ok(envelope) = envelope {
                assert_eq!(items.len(), envelope.incidents.len());
                for (item, alone) in items.iter().zip(envelope.incidents) {
                    assert_eq!(item.payload, decode(alone.get().as_bytes()));
                }
            }
            survives(&items);
        }
        Err(BatchError::TooManyItems) => {
            assert!(envelope.is_ok_and(|envelope| envelope.incidents.len() > MAX_BATCH_ITEMS));
        }
        Err(BatchError::Invalid(violations)) => assert!(!violations.is_empty()),
        Err(BatchError::Malformed(_)) => {
            assert!(serde_json::from_slice::<serde_json::Value>(data).is_err(), "it is JSON");
        }
    }
}

/// What can be sent again arrives as it was.
fn survives(items: &[BatchItem]) {
    let whole = |item: &BatchItem| Some((item.payload.as_ref().ok()?.payload.clone(), item.key?.ok()?));
    let kept: Vec<(SyncPayload, IdempotencyKey)> = items.iter().filter_map(whole).collect();
    let borrowed: Vec<_> = kept.iter().map(|(payload, key)| (payload, *key)).collect();
    let again = decode_batch(encode_batch(&borrowed).as_bytes()).expect("our own batch is one");
    assert_eq!(again.iter().filter_map(whole).collect::<Vec<_>>(), kept);
}
