//! What a check finds, told at once and counted.

use crate::console::{Failure, hand_over};

/// What was found so far; each finding is printed at once.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) right: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    /// Why one of them could not be printed.
    pub(super) unsaid: Option<Failure>,
}

impl Findings {
    pub(super) fn ok(&mut self, what: impl AsRef<str>) {
        self.right += 1;
        self.tell(&format!("ok       {}", what.as_ref()));
    }

    pub(super) fn warning(&mut self, what: impl AsRef<str>) {
        self.warnings += 1;
        self.tell(&format!("warning  {}", what.as_ref()));
    }

    pub(super) fn error(&mut self, what: impl AsRef<str>) {
        self.errors += 1;
        self.tell(&format!("error    {}", what.as_ref()));
    }

    fn tell(&mut self, finding: &str) {
        if let Err(failure) = hand_over(finding) {
            self.unsaid.get_or_insert(failure);
        }
    }

    /// What is right, or what the start would say.
    pub(super) fn either(&mut self, found: Result<String, impl ToString>) {
        match found {
            Ok(what) => self.ok(what),
            Err(error) => self.error(error.to_string()),
        }
    }
}
