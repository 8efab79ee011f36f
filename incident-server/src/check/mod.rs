//! The subcommand `check`: what is wrong before a start. It makes nothing and changes nothing.

mod database;
mod findings;
mod keys;
mod machine;

use self::findings::Findings;
use crate::{
    cautions::cautions,
    cli::Config,
    console::{Failure, hand_over},
};

/// Looks at all that a start needs.
///
/// # Errors
/// The server would not start, or could let nobody in; or what was found could not be told.
pub(crate) async fn check(config: &Config) -> Result<(), Failure> {
    let mut findings = Findings::default();
    findings.ok(format!("incident-server {}", env!("CARGO_PKG_VERSION")));
    for caution in cautions(config) {
        findings.warning(caution);
    }
    machine::check(config, &mut findings).await;
    let inspection = database::check(config, &mut findings).await;
    machine::room_for_tables(config, inspection.as_ref(), &mut findings);
    keys::check(config, inspection.as_ref(), &mut findings).await;
    match findings {
        Findings { unsaid: Some(failure), .. } => Err(failure),
        Findings { errors: 0, right, warnings, .. } => {
            hand_over(&format!("the server can start: {right} ok, {warnings} warnings"))
        }
        Findings { errors, .. } => Err(format!("{errors} errors: the server would not work").into()),
    }
}
