//! A cursor of the changes, as callers hold it: the series of the database and the position in it. Opaque on the wire.
//!
//! A position alone would not do: a database that was restored gives the same ones out again, and whoever went on
//! behind one of before would skip changes without a word.

use std::{fmt, str::FromStr};

use incident_core::Problem;

use crate::{
    problem::ProblemDetails,
    store::{Horizon, Position, Series},
};

/// The cursor of a change, or of what comes behind a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChangesCursor {
    pub(crate) series: Series,
    pub(crate) position: Position,
}

impl ChangesCursor {
    /// Another position in the same series.
    pub(crate) fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}

impl fmt::Display for ChangesCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.series.0, self.position.0)
    }
}

/// The text is no cursor of any version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CursorError;

impl FromStr for ChangesCursor {
    type Err = CursorError;

    /// What it writes and nothing else.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (series, position) = text.split_once('-').ok_or(CursorError)?;
        let series = Series(i64::from_str_radix(series, 16).map_err(|_| CursorError)?);
        let position = Position(position.parse().map_err(|_| CursorError)?);
        let cursor = Self { series, position };
        (position.0 >= 0 && cursor.to_string() == text).then_some(cursor).ok_or(CursorError)
    }
}

/// Where a reader wants to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing: it wants all changes.
    Beginning,
    /// What is there now: it wants the next change.
    Latest,
    /// What comes behind this cursor.
    Cursor(ChangesCursor),
    /// A position that version 0.1 gave out, which did not say in which series.
    WithoutSeries,
}

impl After {
    /// A cursor as any version gave it out. Only its beginning is the same in every series.
    pub(crate) fn cursor(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let position: i64 = text.parse().ok()?;
            return Some(if position == 0 { Self::Beginning } else { Self::WithoutSeries });
        }
        text.parse().ok().map(Self::Cursor)
    }

    /// The cursor behind which to read.
    ///
    /// # Errors
    /// This database never gave the cursor out: it was restored from a backup since, or another one did.
    pub(crate) fn resolve(self, horizon: &Horizon) -> Result<ChangesCursor, ProblemDetails> {
        let &Horizon { series, complete_to, newest } = horizon;
        match self {
            Self::Beginning => Ok(ChangesCursor { series, position: Position::START }),
            Self::Latest => Ok(ChangesCursor { series, position: complete_to }),
            Self::Cursor(cursor) if cursor.series == series && cursor.position <= newest => Ok(cursor),
            Self::Cursor(_) | Self::WithoutSeries => Err(cursor_gone()),
        }
    }
}

fn cursor_gone() -> ProblemDetails {
    ProblemDetails::new(
        Problem::CursorGone,
        "this database never gave the cursor out; begin without one, or read the lists and go on at latest",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Horizon = Horizon { series: Series(0xab), complete_to: Position(17), newest: Position(20) };

    fn position(text: &str) -> Result<i64, Problem> {
        let after = After::cursor(text).expect("a cursor");
        after.resolve(&HERE).map(|cursor| cursor.position.0).map_err(|details| details.problem())
    }

    #[test]
    fn a_cursor_of_this_database_is_the_position_in_it() {
        assert_eq!((position("ab-0"), position("ab-17"), position("ab-20")), (Ok(0), Ok(17), Ok(20)));
    }

    #[test]
    fn a_cursor_that_was_never_given_out_is_gone() {
        for gone in ["ab-21", "ac-1", "0-1", "1", "17"] {
            assert_eq!(position(gone), Err(Problem::CursorGone), "{gone}");
        }
    }

    #[test]
    fn the_beginning_is_the_beginning_in_every_series() {
        let beginning = After::Beginning.resolve(&HERE).ok();
        assert_eq!((position("0"), beginning.unwrap().to_string()), (Ok(0), "ab-0".into()));
    }

    #[test]
    fn latest_is_behind_all_that_is_settled() {
        assert_eq!(After::Latest.resolve(&HERE).ok().unwrap().to_string(), "ab-17");
    }

    #[test]
    fn a_text_that_no_version_wrote_is_no_cursor() {
        for refused in [
            "",
            "-1",
            "+1",
            "x",
            "1.0",
            " 1",
            "9223372036854775808",
            "ab-",
            "-ab-1",
            "AB-1",
            "ab-01",
            "ab-+1",
            "ab--1",
            "latest",
        ] {
            assert_eq!(After::cursor(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = ChangesCursor { series: Series(0x1f_ffff_ffff_ffff), position: Position(i64::MAX) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
}
