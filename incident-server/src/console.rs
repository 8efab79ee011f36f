//! What the program says to whoever started it, and why a command of it fails.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
};

/// A sentence for people: what happened, where, what to do.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Tells whoever started the program; that nobody listens any more is no reason to stop.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{text}");
}
