//! The database: whether it can be used, by this version, and by a clock that agrees.

use incident_core::Timestamp;

use super::findings::Findings;
use crate::{
    Clock,
    cli::Config,
    limits::{CLOCK_DOUBT_MS, CLOCK_FAULT_MS},
    opening,
    store::{self, Inspection, Schema},
};

/// What was found in it, unless it cannot be used.
pub(super) async fn check(config: &Config, findings: &mut Findings) -> Option<Inspection> {
    let database = match opening::database(config) {
        Ok(database) => database,
        Err(error) => {
            findings.error(error.to_string());
            return None;
        }
    };
    match database.inspect().await {
        Ok(found) => {
            findings.either(schema(&found));
            clock(&found, Clock::system().now(), findings);
            found.doubts.iter().for_each(|doubt| findings.warning(doubt));
            standby(config, findings).await;
            Some(found)
        }
        Err(error) if error.may_pass() => {
            findings.error(format!("{error}; a start waits until it is there"));
            None
        }
        Err(error) => {
            findings.error(error.to_string());
            None
        }
    }
}

/// A server starts without the standby; the primary answers for it.
async fn standby(config: &Config, findings: &mut Findings) {
    let url = match opening::standby(config) {
        Ok(None) => return,
        Ok(Some(url)) => url,
        Err(error) => return findings.error(error.to_string()),
    };
    match store::standby_of(config.database_url.as_deref().unwrap_or_default(), url).await {
        Ok(true) => findings.ok("--read-database-url leads to a standby of the database"),
        Ok(false) => findings
            .warning("--read-database-url does not lead to a standby of this database, so it is not read"),
        Err(error) => findings.warning(format!("the standby: {error}; it is read once it is there")),
    }
}

fn schema(found: &Inspection) -> Result<String, store::OpenError> {
    let software = &found.software;
    match found.schema {
        Schema::Missing => Ok(format!("{software}: empty, the first start makes the tables")),
        Schema::Older => {
            Ok(format!("{software}: the next start brings the tables up to date; take a backup before"))
        }
        Schema::Current => Ok(format!("{software}: the tables are those of this version")),
        Schema::Newer(version) => Err(store::OpenError::TooNew(version)),
    }
}

/// Two clocks that disagree make reports look late, early or suspect.
fn clock(found: &Inspection, now: Timestamp, findings: &mut Findings) {
    if let Some(apart) = found.clocks_apart_ms {
        let say = format!("the clocks of this machine and of the database are {apart} ms apart");
        match apart {
            CLOCK_FAULT_MS.. => findings.error(say),
            CLOCK_DOUBT_MS.. => findings.warning(say),
            _ => findings.ok(say),
        }
    }
    if let Some(written) = found.last_written
        && written > now
        && written.unix_ms().abs_diff(now.unix_ms()) >= CLOCK_FAULT_MS
    {
        findings
            .warning(format!("the database was last written at {written}, which is later than it is here"));
    }
}
