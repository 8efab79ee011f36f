//! What is wrong with a payload: where, and which rule it breaks. Never what it says.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Code, Pointer, Timestamp};

/// One broken rule of one field.
///
/// Serialises as `{"pointer": …, "code": …, "detail": …}`, the shape of `errors[]` in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Violation {
    /// Where.
    pub pointer: Pointer,
    /// Which rule.
    pub code: Code,
}

impl Violation {
    /// What to do about it, for people. Names the field and its limit, never its value.
    pub fn detail(&self) -> String {
        let field = self.pointer.as_str().strip_prefix('/').unwrap_or("the document").replace('/', ".");
        match self.code {
            Code::Required => format!("{field} is missing"),
            Code::Type => format!("{field} must be {}", self.pointer.expected_type()),
            Code::Blank => format!("{field} must not be blank"),
            Code::TooLong => format!("{field} must have at most {} characters", self.pointer.limit()),
            Code::ControlCharacter => format!("{field} must not hold control characters"),
            Code::OutOfRange => format!("{field} must lie between {}", self.pointer.limit()),
            Code::Timestamp => format!("{field} must be {}", Timestamp::RULE),
            Code::DuplicateField => format!("{field} is given more than once"),
            Code::UnknownValue => format!("{field} must be \"Point\""),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Violation", 3)?;
        out.serialize_field("pointer", &self.pointer)?;
        out.serialize_field("code", &self.code)?;
        out.serialize_field("detail", &self.detail())?;
        out.end()
    }
}
