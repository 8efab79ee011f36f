//! The rules that a field may break.

use crate::words::words;

words! {
    /// The rule that a field breaks, as it stands in `errors[].code` of an answer.
    Code {
        /// The field is missing.
        Required = "required",
        /// The field has another JSON type than it must have.
        Type = "type",
        /// The text is empty once white space at both ends is taken off.
        Blank = "blank",
        /// The text has more characters (Unicode scalar values) than allowed.
        TooLong = "too-long",
        /// The text holds a control character (U+0000–U+001F or U+007F) where none may be.
        ControlCharacter = "control-character",
        /// The number lies outside its range.
        OutOfRange = "out-of-range",
        /// The text is no ISO 8601 date-time with an offset between 1970 and 9999.
        Timestamp = "timestamp",
        /// The field is given more than once.
        DuplicateField = "duplicate-field",
        /// The text is none of the words that are allowed here.
        UnknownValue = "unknown-value",
    }
}
