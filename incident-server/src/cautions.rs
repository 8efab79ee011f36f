//! What is allowed and mostly not meant: said at the start, and by `check`.

use incident_core::MAX_BATCH_ITEMS;

use crate::{cli::Config, limits::MAX_CONNECTIONS, serve};

/// A sentence for each.
pub(crate) fn cautions(config: &Config) -> Vec<String> {
    let mut all = Vec::new();
    if !config.payload_rate_limit.has_room_for(MAX_BATCH_ITEMS) {
        all.push(format!(
            "--payload-rate-limit has no burst for a batch of {MAX_BATCH_ITEMS} payloads: it is 429 for ever"
        ));
    }
    if config.retention.is_short() {
        all.push(
            "--retention is less than a day: reports may be erased before anybody has seen them".to_owned(),
        );
    }
    all.extend(foreign_tokens(config).map(str::to_owned));
    all.extend(few_connections());
    all
}

fn few_connections() -> Option<String> {
    let most = serve::max_connections();
    (most < MAX_CONNECTIONS).then(|| {
        format!(
            "the limit of open files leaves room for {most} connections of {MAX_CONNECTIONS}; raise it to 8192 (ulimit -n, \
             LimitNOFILE=)"
        )
    })
}

/// An identity provider signs the tokens of all its programs with the same keys.
fn foreign_tokens(config: &Config) -> Option<&'static str> {
    if !config.has_issuer() || config.auth_audience.is_some() {
        return None;
    }
    Some(if config.issuer().is_some() {
        "tokens that the issuer made for other programs are taken, too; name who they must be for with --auth-audience"
    } else {
        "every token under these keys is taken, whoever issued it and whatever it was made for; name both with \
         --auth-issuer and --auth-audience"
    })
}
