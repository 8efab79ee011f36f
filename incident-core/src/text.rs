//! The texts of a payload: trimmed, measured in characters, free of control characters.

use crate::Code;

/// Why a text was refused: every rule it breaks, without the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text breaks the rules {}", .codes.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", "))]
pub struct TextError {
    /// [`Code::Blank`], or [`Code::TooLong`] and [`Code::ControlCharacter`] in any combination.
    pub codes: Vec<Code>,
}

pub(crate) fn check(text: &str, max_chars: usize, allowed_controls: &[char]) -> Result<String, TextError> {
    check_as_it_is(text.trim(), max_chars, allowed_controls)
}

pub(crate) fn check_as_it_is(
    text: &str,
    max_chars: usize,
    allowed_controls: &[char],
) -> Result<String, TextError> {
    if text.is_empty() {
        return Err(TextError { codes: vec![Code::Blank] });
    }
    let mut codes = Vec::new();
    if text.len() > max_chars && text.chars().count() > max_chars {
        codes.push(Code::TooLong);
    }
    if text.chars().any(|c| c.is_ascii_control() && !allowed_controls.contains(&c)) {
        codes.push(Code::ControlCharacter);
    }
    if codes.is_empty() { Ok(text.to_owned()) } else { Err(TextError { codes }) }
}

/// A text of a payload with its limit and the control characters that may stand in it.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The most characters (Unicode scalar values) it may have, once trimmed.
            pub const MAX_CHARS: usize = $max;

            /// Takes white space off both ends, then checks what is left.
            ///
            /// # Errors
            /// Every rule that the text breaks: blank, too long, control characters.
            pub fn parse(text: &str) -> Result<Self, crate::TextError> {
                crate::text::check(text, Self::MAX_CHARS, $allowed).map(Self)
            }

            /// A stored text, as it is; see `stored.rs`.
            pub(crate) fn believed(text: String) -> Self {
                Self(text)
            }

            /// The trimmed text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        // What a person wrote stays out of logs, even out of a careless `{:?}`.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} characters)"), self.0.chars().count())
            }
        }
    };
}

pub(crate) use text_type;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancellationReason, LocationId, RoomNumber};

    #[test]
    fn white_space_of_any_script_is_taken_off_both_ends() {
        assert_eq!(RoomNumber::parse("\u{3000} 12B\u{a0}\n").unwrap().as_str(), "12B");
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let text = format!("\u{7}{}", "x".repeat(128));
        assert_eq!(LocationId::parse(&text).unwrap_err().codes, [Code::TooLong, Code::ControlCharacter]);
    }

    #[test]
    fn a_text_is_measured_in_characters_and_may_be_as_long_as_its_limit() {
        for longest in ["x".repeat(128), "é".repeat(128)] {
            assert!(LocationId::parse(&longest).is_ok());
            assert_eq!(LocationId::parse(&(longest + "é")).unwrap_err().codes, [Code::TooLong]);
        }
    }

    #[test]
    fn only_a_reason_may_hold_line_feed_and_tab() {
        assert!(CancellationReason::parse("a\n\tb").is_ok());
        assert!(CancellationReason::parse("a\rb").is_err());
        assert!(LocationId::parse("a\tb").is_err());
    }

    #[test]
    fn characters_beyond_u007f_are_no_control_characters_here() {
        assert!(LocationId::parse("a\u{85}b").is_ok());
    }

    #[test]
    fn debug_output_never_shows_the_text() {
        assert_eq!(format!("{:?}", LocationId::parse("secret").unwrap()), "LocationId(6 characters)");
    }
}
