//! Many payloads in one request: each read on its own, so that a bad one spoils no neighbour.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Code, Decoded, Refusal, SyncPayload, Violation,
    decode::{Malformed, decode_str, utf8},
};

/// The most payloads a batch may have.
pub const MAX_BATCH_ITEMS: usize = 500;
/// The most bytes a batch may have, however long each payload is.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// Why a whole batch is refused: its envelope is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefusal {
    /// The envelope is no JSON document.
    #[error("not a JSON document: {0}")]
    Malformed(Malformed),
    /// No object, or `incidents` is missing, no array or given twice.
    #[error("{}", .0.detail())]
    Invalid(Violation),
    /// More than [`MAX_BATCH_ITEMS`] payloads.
    #[error("more than {MAX_BATCH_ITEMS} payloads")]
    TooManyItems,
}

/// Reads `{"incidents": [payload, …]}`; unknown fields beside `incidents` are ignored.
///
/// Each payload is judged as [`decode`](crate::decode) judges it alone, in order; a lone surrogate or an
/// oversized number in one is a fault of that one.
///
/// # Errors
/// A fault of the envelope, see [`BatchRefusal`].
pub fn decode_batch(text: &[u8]) -> Result<Vec<Result<Decoded, Refusal>>, BatchRefusal> {
    let text = utf8(text).map_err(BatchRefusal::Malformed)?;
    let invalid = |pointer, code| Err(BatchRefusal::Invalid(Violation { pointer, code }));
    match serde_json::from_str(text).map_err(|error| BatchRefusal::Malformed(error.into()))? {
        Envelope::Items(items) => Ok(items.into_iter().map(|item| decode_str(item.get())).collect()),
        Envelope::TooManyItems => Err(BatchRefusal::TooManyItems),
        Envelope::NoObject => invalid("", Code::Type),
        Envelope::NoArray => invalid("/incidents", Code::Type),
        Envelope::Missing => invalid("/incidents", Code::Required),
        Envelope::Twice => invalid("/incidents", Code::DuplicateField),
    }
}

/// Writes a batch of canonical payloads.
///
/// ```
/// assert_eq!(incident_core::encode_batch(&[]), r#"{"incidents":[]}"#);
/// ```
///
/// # Panics
/// Never: every valid payload has a JSON form.
pub fn encode_batch(payloads: &[SyncPayload]) -> String {
    #[derive(serde::Serialize)]
    struct Out<'a> {
        incidents: &'a [SyncPayload],
    }
    serde_json::to_string(&Out { incidents: payloads }).expect("valid payloads serialise")
}

enum Envelope<'a> {
    Items(Vec<&'a RawValue>),
    TooManyItems,
    NoObject,
    NoArray,
    Missing,
    Twice,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

macro_rules! no_object {
    ($($visit:ident($type:ty)),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> { Ok(Envelope::NoObject) })*
    };
}

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    no_object!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Envelope::NoObject)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Envelope::NoObject)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Envelope::Missing;
        while let Some(name) = map.next_key::<String>()? {
            if name != "incidents" {
                map.next_value::<IgnoredAny>()?;
            } else if let Envelope::Missing = found {
                found = items(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
                found = Envelope::Twice;
            }
        }
        Ok(found)
    }
}

/// The elements of an array, each left as text.
fn items(value: &RawValue) -> Envelope<'_> {
    struct Items<'a>(Vec<&'a RawValue>);
    impl<'de> Deserialize<'de> for Items<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Vec::deserialize(deserializer).map(Self)
        }
    }
    // The text is known to be JSON: the only way to fail is to be no array.
    match serde_json::from_str::<Items>(value.get()) {
        Ok(Items(items)) if items.len() > MAX_BATCH_ITEMS => Envelope::TooManyItems,
        Ok(Items(items)) => Envelope::Items(items),
        Err(_) => Envelope::NoArray,
    }
}
