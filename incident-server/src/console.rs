//! What the program says to whoever started it, and why a command of it fails.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    thread,
};

/// A sentence for people: what happened, where, what to do.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Tells whoever started the program; that nobody listens any more is no reason to stop.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints what a command was asked for.
///
/// # Errors
/// It did not get there, so that the command has done nothing.
pub(crate) fn hand_over(text: &str) -> Result<(), Failure> {
    let written = writeln!(io::stdout(), "{text}");
    written.map_err(|error| format!("cannot write to the standard output: {error}").into())
}

/// As [`say`], and goes on at once: for a pipe that is full and that nobody reads, a server would wait for ever.
pub(crate) fn say_aside(text: String) {
    // Without room for a thread it stays unsaid; what the server does is in its log.
    let _ = thread::Builder::new().name("say".to_owned()).spawn(move || say(format_args!("{text}")));
}
