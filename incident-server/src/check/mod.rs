//! The subcommand `check`: what is wrong before a start. It makes nothing and changes nothing.

mod database;
mod findings;
mod keys;
mod machine;

use self::findings::Findings;
use crate::{
    cautions::cautions,
    cli::Config,
    console::{Failure, say},
};

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
