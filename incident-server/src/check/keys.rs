//! Secrets and keys, as the start reads them.

use std::path::{Path, PathBuf};

use incident_core::IdSecret;

use super::findings::Findings;
use crate::{
    auth::JwksSource,
    cli::Config,
    opening,
    secrets::{self, HS256_SECRET},
    store::{Inspection, Schema},
};

/// Whether the first start makes one in the data directory.
pub(super) fn makes_a_secret(config: &Config) -> bool {
    let is_missing = |named: &Option<PathBuf>, own| named.is_none() && !config.data_dir.join(own).exists();
    is_missing(&config.id_secret_file, opening::ID_SECRET)
        || !config.has_issuer() && is_missing(&config.auth_hs256_secret_file, HS256_SECRET)
}

pub(super) async fn check(config: &Config, database: Option<&Inspection>, findings: &mut Findings) {
    id_secret(config, database, findings);
    match config.key_set() {
        Some(source) => findings.either(usable(&source).await),
        None => own_hs256(config, findings),
    }
    let named = [
        (&config.auth_hs256_secret_file, "the secret of tokens"),
        (&config.auth_hs256_previous_secret_file, "the previous secret of tokens"),
    ];
    for (file, what) in named {
        if let Some(file) = file {
            readable(file, what, findings);
        }
    }
}

/// By the rules of the start: the right one, or a new one where nothing is named yet.
fn id_secret(config: &Config, database: Option<&Inspection>, findings: &mut Findings) {
    let own = config.data_dir.join(opening::ID_SECRET);
    let file = config.id_secret_file.as_ref().unwrap_or(&own);
    if config.id_secret_file.is_none() && !own.exists() {
        let may = match database {
            Some(found) => opening::may_be_made(&own, found.is_shared, found.holds_incidents),
            // Whatever is in it, once it is reached.
            None if opening::is_shared(config) => opening::may_be_made(&own, true, true),
            None => return,
        };
        findings.either(may.map(|()| format!("the id secret {} is made at the first start", own.display())));
        return;
    }
    let Some(bytes) = secret(file, findings) else { return };
    let known = database.filter(|found| found.schema == Schema::Current);
    let known = known.and_then(|found| found.id_secret_fingerprint.as_ref());
    match (IdSecret::new(&bytes), known) {
        (Err(error), _) => findings.error(error.to_string()),
        (Ok(secret), Some(known)) if secret.fingerprint()[..] != known[..] => {
            findings.error(opening::another(file).to_string());
        }
        (Ok(_), Some(_)) => findings.ok(format!("the id secret {} is that of the database", file.display())),
        (Ok(_), None) => findings.ok(format!("the id secret {} can be read", file.display())),
    }
}

/// The data directory's own, where none is named.
fn own_hs256(config: &Config, findings: &mut Findings) {
    let own = config.data_dir.join(HS256_SECRET);
    if config.auth_hs256_secret_file.is_some() {
        return;
    }
    if own.exists() {
        readable(&own, "the secret of tokens", findings);
    } else {
        findings.ok(format!("the secret of tokens {} is made at the first start", own.display()));
    }
}

fn readable(file: &Path, what: &str, findings: &mut Findings) {
    if secret(file, findings).is_some() {
        findings.ok(format!("{what} {} can be read", file.display()));
    }
}

fn secret(file: &Path, findings: &mut Findings) -> Option<Vec<u8>> {
    match secrets::load(file) {
        Ok((bytes, is_private)) => {
            if !is_private {
                findings.warning(format!("others than its owner can read {}; chmod 600 it", file.display()));
            }
            Some(bytes)
        }
        Err(error) => {
            findings.error(error.to_string());
            None
        }
    }
}

async fn usable(source: &JwksSource) -> Result<String, String> {
    match source.has_usable_key().await {
        Ok(true) => Ok("the key set has a key that can be used here".to_owned()),
        Ok(false) => Err("the key set has no key that can be used here (RS256, ES256, EdDSA)".to_owned()),
        Err(error) => Err(format!("{error}; until it can, everybody is answered 503")),
    }
}
