//! What a check finds, told at once and counted.

use crate::console::say;

/// What was found so far; each finding is printed at once.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) right: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
}

impl Findings {
    pub(super) fn ok(&mut self, what: impl AsRef<str>) {
        self.right += 1;
        say(format_args!("ok       {}", what.as_ref()));
    }

    pub(super) fn warning(&mut self, what: impl AsRef<str>) {
        self.warnings += 1;
        say(format_args!("warning  {}", what.as_ref()));
    }

    pub(super) fn error(&mut self, what: impl AsRef<str>) {
        self.errors += 1;
        say(format_args!("error    {}", what.as_ref()));
    }

    /// What is right, or what the start would say.
    pub(super) fn either(&mut self, found: Result<String, impl ToString>) {
        match found {
            Ok(what) => self.ok(what),
            Err(error) => self.error(error.to_string()),
        }
    }
}
