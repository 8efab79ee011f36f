//! Many payloads in one request: each read on its own, so that a bad one spoils no neighbour.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Code, DecodeError, Decoded, IdempotencyKey, KeyError, Pointer, SyncPayload, Violation,
    decode::{Malformed, decode_str, utf8},
};

/// The most payloads a batch may have.
pub const MAX_BATCH_ITEMS: usize = 500;
/// The most bytes a batch may have, however long each payload is.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// Why a whole batch is refused: its envelope is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The envelope is no JSON document.
    #[error("not a JSON document: {0}")]
    Malformed(Malformed),
    /// No object; `incidents` is missing, no array or given twice; `idempotencyKeys` is no array, of another length
    /// or given twice.
    #[error("{}", .0.iter().map(Violation::detail).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Violation>),
    /// More than [`MAX_BATCH_ITEMS`] payloads.
    #[error("more than {MAX_BATCH_ITEMS} payloads")]
    TooManyItems,
}

/// One payload of a batch, and the key that was sent for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// The payload, judged as if it were alone.
    pub payload: Result<Decoded, DecodeError>,
    /// The key at its place in `idempotencyKeys`, if there is one; an element that is no key belongs to no report.
    pub key: Option<Result<IdempotencyKey, KeyError>>,
}

/// Reads `{"incidents": [payload, …], "idempotencyKeys": [key or null, …]}`; the keys may be left out or `null`, and
/// other fields are ignored.
///
/// Each payload is judged as [`decode`](crate::decode) judges it alone, in order; a lone surrogate or an
/// oversized number in one is a fault of that one.
///
/// # Errors
/// A fault of the envelope, see [`BatchError`].
pub fn decode_batch(text: &[u8]) -> Result<Vec<BatchItem>, BatchError> {
    let text = utf8(text).map_err(BatchError::Malformed)?;
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| BatchError::Malformed(error.into()))?;
    if !envelope.is_object {
        return Err(BatchError::Invalid(vec![Violation { pointer: Pointer::Document, code: Code::Type }]));
    }
    let payloads = envelope
        .incidents
        .elements(Pointer::Incidents)
        .and_then(|found| found.ok_or(Violation { pointer: Pointer::Incidents, code: Code::Required }));
    if payloads.as_ref().is_ok_and(|payloads| payloads.len() > MAX_BATCH_ITEMS) {
        return Err(BatchError::TooManyItems);
    }
    let count = payloads.as_ref().ok().map(Vec::len);
    let (payloads, keys) = match (payloads, envelope.keys.keys(count)) {
        (Ok(payloads), Ok(keys)) => (payloads, keys),
        (payloads, keys) => {
            return Err(BatchError::Invalid(payloads.err().into_iter().chain(keys.err()).collect()));
        }
    };
    let keys = keys.map_or_else(|| vec![None; payloads.len()], |keys| keys.into_iter().map(key).collect());
    let item = |(payload, key): (&RawValue, _)| BatchItem { payload: decode_str(payload.get()), key };
    Ok(payloads.into_iter().zip(keys).map(item).collect())
}

/// An element of `idempotencyKeys`, spelled as in the header.
fn key(element: &RawValue) -> Option<Result<IdempotencyKey, KeyError>> {
    match serde_json::from_str::<Option<String>>(element.get()) {
        Ok(None) => None,
        Ok(Some(text)) => Some(text.parse()),
        Err(_) => Some(Err(KeyError)),
    }
}

/// Writes a batch of canonical payloads, each with its key.
///
/// ```
/// assert_eq!(incident_core::encode_batch(&[]), r#"{"incidents":[],"idempotencyKeys":[]}"#);
/// ```
///
/// # Panics
/// Never: every valid payload has a JSON form.
pub fn encode_batch(items: &[(&SyncPayload, IdempotencyKey)]) -> String {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Out<'a> {
        incidents: Vec<&'a SyncPayload>,
        idempotency_keys: Vec<IdempotencyKey>,
    }
    let (incidents, idempotency_keys) = items.iter().copied().unzip();
    serde_json::to_string(&Out { incidents, idempotency_keys }).expect("valid payloads serialise")
}

/// The known fields of a batch, their values left as text (`is_object` is false for any other JSON value).
#[derive(Default)]
struct Envelope<'a> {
    is_object: bool,
    incidents: Member<'a>,
    keys: Member<'a>,
}

/// What an object says of one name.
#[derive(Default)]
enum Member<'a> {
    #[default]
    Missing,
    Once(&'a RawValue),
    Twice,
}

impl<'a> Member<'a> {
    fn see(&mut self, value: &'a RawValue) {
        *self = if let Self::Missing = self { Self::Once(value) } else { Self::Twice };
    }

    /// The elements of the array that it must be; `None` where it is missing, or `null` where that is the same.
    fn elements(self, pointer: Pointer) -> Result<Option<Vec<&'a RawValue>>, Violation> {
        match self {
            Self::Missing => Ok(None),
            Self::Once(value) if pointer == Pointer::IdempotencyKeys && value.get() == "null" => Ok(None),
            // The text is known to be JSON: the only way to fail is to be no array.
            Self::Once(value) => match serde_json::from_str::<Elements>(value.get()) {
                Ok(Elements(elements)) => Ok(Some(elements)),
                Err(_) => Err(Violation { pointer, code: Code::Type }),
            },
            Self::Twice => Err(Violation { pointer, code: Code::DuplicateField }),
        }
    }

    /// The elements as keys, one for each payload, where the payloads could be counted.
    fn keys(self, payloads: Option<usize>) -> Result<Option<Vec<&'a RawValue>>, Violation> {
        let pointer = Pointer::IdempotencyKeys;
        let keys = self.elements(pointer)?;
        match (&keys, payloads) {
            (Some(keys), Some(payloads)) if keys.len() != payloads => {
                Err(Violation { pointer, code: Code::Type })
            }
            _ => Ok(keys),
        }
    }
}

struct Elements<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

macro_rules! no_object {
    ($($visit:ident($type:ty)),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> { Ok(Envelope::default()) })*
    };
}

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    no_object!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Envelope::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Envelope::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Envelope { is_object: true, ..Envelope::default() };
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "incidents" => found.incidents.see(map.next_value()?),
                "idempotencyKeys" => found.keys.see(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
