//! What stands in the text, in whatever type it came: nothing is judged here but syntax.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::Pointer;

/// The most unknown fields that are named, and how much of each name.
pub(crate) const MAX_WARNINGS: usize = 20;
const MAX_WARNING_CHARS: usize = 64;

/// Answers for every JSON type that a visitor has no use for.
macro_rules! otherwise {
    ($value:expr; $($visit:ident($type:ty)),*) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> { Ok($value) })*
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { Ok($value) }
    };
}

/// One value, read no deeper than its own kind.
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Composite,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        #[expect(clippy::cast_precision_loss, reason = "the contract reads a number as the nearest double")]
        impl<'de> Visitor<'de> for V {
            type Value = Scalar;

            otherwise!(Scalar::Null;);

            fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value as f64))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value as f64))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Composite)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Composite)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// The value of `coordinates`: two values if it is an array of exactly two.
pub(crate) struct Pair {
    pub(crate) pair: Option<[Scalar; 2]>,
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Pair;

            otherwise!(Pair { pair: None };
                visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pair, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Pair { pair: None })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                let first = seq.next_element::<Scalar>()?;
                let second = if first.is_some() { seq.next_element::<Scalar>()? } else { None };
                let mut more = false;
                while second.is_some() && seq.next_element::<IgnoredAny>()?.is_some() {
                    more = true;
                }
                Ok(Pair { pair: first.zip(second).filter(|_| !more).map(<[Scalar; 2]>::from) })
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// An object with known fields, or a value that is no object (`is_object` is false then).
macro_rules! object {
    ($name:ident { $($field:ident: $type:ty = $wire:literal at $pointer:expr),* $(,)? }) => {
        #[derive(Default)]
        pub(crate) struct $name {
            pub(crate) is_object: bool,
            $(pub(crate) $field: Option<$type>,)*
            /// Where the known fields stand that came more than once, each once.
            pub(crate) duplicates: Vec<Pointer>,
            /// Names of unknown fields, cut; no more than there are warnings.
            pub(crate) unknown: Vec<String>,
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct V;
                impl<'de> Visitor<'de> for V {
                    type Value = $name;

                    otherwise!($name::default();
                        visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        while seq.next_element::<IgnoredAny>()?.is_some() {}
                        Ok($name::default())
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut found = $name { is_object: true, ..$name::default() };
                        while let Some(name) = map.next_key::<String>()? {
                            match name.as_str() {
                                $($wire => read(&mut map, &mut found.$field, $pointer, &mut found.duplicates)?,)*
                                _ => skip(&mut map, &name, &mut found.unknown)?,
                            }
                        }
                        Ok(found)
                    }
                }
                deserializer.deserialize_any(V)
            }
        }
    };
}

pub(crate) use object;
pub(crate) use otherwise;

pub(crate) fn read<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    slot: &mut Option<T>,
    pointer: Pointer,
    duplicates: &mut Vec<Pointer>,
) -> Result<(), A::Error> {
    if slot.is_none() {
        *slot = Some(map.next_value()?);
        return Ok(());
    }
    if !duplicates.contains(&pointer) {
        duplicates.push(pointer);
    }
    map.next_value::<IgnoredAny>().map(drop)
}

pub(crate) fn skip<'de, A: MapAccess<'de>>(
    map: &mut A,
    name: &str,
    unknown: &mut Vec<String>,
) -> Result<(), A::Error> {
    let cut: String = name.chars().take(MAX_WARNING_CHARS).collect();
    if unknown.len() < MAX_WARNINGS && !unknown.contains(&cut) {
        unknown.push(cut);
    }
    map.next_value::<IgnoredAny>().map(drop)
}
