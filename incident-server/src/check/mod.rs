//! The subcommand `check`: what is wrong before a start. It makes nothing and changes nothing.

mod database;
mod keys;
mod machine;

use std::error::Error;

use crate::{cautions::cautions, cli::Config, run::say};

type Failure = Box<dyn Error + Send + Sync>;

/// What was found so far; each finding is printed at once.
#[derive(Default)]
struct Findings {
    right: usize,
    errors: usize,
    warnings: usize,
}

impl Findings {
    fn ok(&mut self, what: impl AsRef<str>) {
        self.right += 1;
        say(format_args!("ok       {}", what.as_ref()));
    }

    fn warning(&mut self, what: impl AsRef<str>) {
        self.warnings += 1;
        say(format_args!("warning  {}", what.as_ref()));
    }

    fn error(&mut self, what: impl AsRef<str>) {
        self.errors += 1;
        say(format_args!("error    {}", what.as_ref()));
    }

    /// What is right, or what the start would say.
    fn either(&mut self, found: Result<String, impl ToString>) {
        match found {
            Ok(what) => self.ok(what),
            Err(error) => self.error(error.to_string()),
        }
    }
}

/// Looks at all that a start needs.
///
/// # Errors
/// The server would not start, or could let nobody in.
pub(crate) async fn check(config: &Config) -> Result<(), Failure> {
    let mut findings = Findings::default();
    findings.ok(format!("incident-server {}", env!("CARGO_PKG_VERSION")));
    for caution in cautions(config) {
        findings.warning(caution);
    }
    machine::check(config, &mut findings).await;
    let inspection = database::check(config, &mut findings).await;
    keys::check(config, inspection.as_ref(), &mut findings).await;
    match findings {
        Findings { errors: 0, right, warnings } => {
            say(format_args!("the server can start: {right} ok, {warnings} warnings"));
            Ok(())
        }
        Findings { errors, .. } => Err(format!("{errors} errors: the server would not work").into()),
    }
}
