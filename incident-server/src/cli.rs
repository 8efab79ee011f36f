//! Flags and variables: one name each, `--listen` and `INCIDENT_LISTEN`.

use std::{env, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable,
    error::ErrorKind,
};
use tracing_subscriber::filter::Targets;

use crate::{
    auth::{JwksSource, OidcIssuer},
    commit::QueueLimits,
    limits::MAX_SHUTDOWN_DELAY,
    log,
    rate_limit::RateLimit,
    retention::Retention,
    variables,
};

/// The endpoint of incident-sync.
///
/// Without a subcommand it serves, on SQLite in the data directory unless told otherwise.
#[derive(Debug, Parser)]
#[command(name = "incident-server", version, args_conflicts_with_subcommands = false)]
pub struct Cli {
    #[command(flatten)]
    /// How to serve.
    pub config: Config,
    #[command(subcommand)]
    /// What to do instead of serving.
    pub command: Option<Command>,
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Config {
    /// Address and port to listen on
    #[arg(long, env = "INCIDENT_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// Address and port for /healthz, /readyz and /metrics, which are then served there and only there
    #[arg(long, env = "INCIDENT_OPERATIONS_LISTEN", global = true)]
    pub operations_listen: Option<SocketAddr>,
    /// After SIGTERM, how long /readyz says «stopping» before no connection is taken any more: 20s at most
    #[arg(long, env = "INCIDENT_SHUTDOWN_DELAY", default_value = "1s", value_parser = shutdown_delay, global = true)]
    pub shutdown_delay: Duration,
    /// Directory of the SQLite file and the generated secrets
    #[arg(long, env = "INCIDENT_DATA_DIR", default_value = "./incident-data", global = true)]
    pub data_dir: PathBuf,
    /// `sqlite://FILE` or `postgres://USER@HOST/DATABASE` [default: SQLite in the data directory]
    #[arg(long, env = "INCIDENT_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// `postgres://…` of a standby: lists and single incidents are read there, as long as it has what the primary has
    #[arg(long, env = "INCIDENT_READ_DATABASE_URL", hide_env_values = true, global = true)]
    pub read_database_url: Option<String>,
    /// File with the secret of HS256 tokens, at least 32 bytes [default: generated in the data directory]
    #[arg(long, env = "INCIDENT_AUTH_HS256_SECRET_FILE", global = true)]
    pub auth_hs256_secret_file: Option<PathBuf>,
    /// File with the secret before, which is also taken while a rotation lasts
    #[arg(long, env = "INCIDENT_AUTH_HS256_PREVIOUS_SECRET_FILE", global = true)]
    pub auth_hs256_previous_secret_file: Option<PathBuf>,
    /// URL or file of a JWK set (RS256, ES256, EdDSA); replaces HS256
    #[arg(long, env = "INCIDENT_AUTH_JWKS", global = true)]
    pub auth_jwks: Option<JwksSource>,
    /// URL of an OIDC issuer: its key set is found by discovery, and `iss` must be it
    #[arg(long, env = "INCIDENT_AUTH_OIDC_ISSUER", global = true, conflicts_with_all = ["auth_jwks", "auth_issuer"])]
    pub auth_oidc_issuer: Option<OidcIssuer>,
    /// The `iss` that tokens must have
    #[arg(long, env = "INCIDENT_AUTH_ISSUER", global = true)]
    pub auth_issuer: Option<String>,
    /// The `aud` that tokens must have
    #[arg(long, env = "INCIDENT_AUTH_AUDIENCE", global = true)]
    pub auth_audience: Option<String>,
    /// File with the secret between idempotency keys and incident ids, at least 32 bytes, the same for every
    /// replica [default: generated in the data directory]
    #[arg(long, env = "INCIDENT_ID_SECRET_FILE", global = true)]
    pub id_secret_file: Option<PathBuf>,
    /// Requests per identity: RATE/s,BURST or RATE/m,BURST, or off
    #[arg(long, env = "INCIDENT_RATE_LIMIT", default_value = "20/s,200", global = true)]
    pub rate_limit: RateLimit,
    /// Payloads per identity, over single requests and batches: RATE/s,BURST or RATE/m,BURST, or off
    #[arg(long, env = "INCIDENT_PAYLOAD_RATE_LIMIT", default_value = "100/s,5000", global = true)]
    pub payload_rate_limit: RateLimit,
    /// Incidents that were received longer ago are erased: a time such as 730d, or off
    #[arg(long, env = "INCIDENT_RETENTION", default_value = "off", global = true)]
    pub retention: Retention,
    /// Payloads that wait for their commit at most, of a batch each; more are answered 503
    #[arg(long, env = "INCIDENT_MAX_IN_FLIGHT", default_value_t = QueueLimits::DEFAULT.in_flight, value_parser = at_least_one, global = true)]
    pub max_in_flight: usize,
    /// Payloads from which on a transaction takes no further request; 1 switches group commit off
    #[arg(long, env = "INCIDENT_MAX_COMMIT_BATCH", default_value_t = QueueLimits::DEFAULT.batch, value_parser = at_least_one, global = true)]
    pub max_commit_batch: usize,
    /// What to log on standard error: a level, or levels by module, such as `info,incident_server=debug`
    #[arg(long, env = "INCIDENT_LOG", default_value = "info", value_parser = log::levels, global = true)]
    pub log: Targets,
}

impl Config {
    /// Whether tokens come from an identity provider.
    pub(crate) fn has_issuer(&self) -> bool {
        self.key_set().is_some()
    }

    /// Where the keys of an identity provider are, if tokens come from one.
    pub(crate) fn key_set(&self) -> Option<JwksSource> {
        let discovered = self.auth_oidc_issuer.clone().map(JwksSource::Discovered);
        discovered.or_else(|| self.auth_jwks.clone())
    }

    /// What `iss` must be.
    pub(crate) fn issuer(&self) -> Option<String> {
        let discovered = self.auth_oidc_issuer.as_ref().map(|issuer| issuer.name().to_owned());
        discovered.or_else(|| self.auth_issuer.clone())
    }
}

impl Cli {
    /// Reads flags and variables; an empty variable counts as unset. Ends the program where they are at fault.
    pub fn read() -> Self {
        let unset = |arg: Arg| {
            let empty = arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
            if empty { arg.env(Resettable::Reset) } else { arg }
        };
        let mut command = Self::command().mut_args(unset);
        let settings: Vec<_> = Self::command().get_arguments().filter_map(env_name).collect();
        let known: Vec<_> = settings.iter().map(String::as_str).collect();
        if let Some(complaint) = variables::complaint(&known, env::vars_os().map(|(name, _)| name)) {
            command.error(ErrorKind::UnknownArgument, complaint).exit();
        }
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

fn env_name(arg: &Arg) -> Option<String> {
    arg.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print an access token for the HS256 secret
    Token {
        /// Whom the token is for: the reporter's identity
        #[arg(long)]
        sub: String,
        /// What they may do, such as incidents:read
        #[arg(long)]
        scope: Option<String>,
        /// How long it is valid, such as 1h or 30days
        #[arg(long, default_value = "1h", value_parser = time_to_live)]
        ttl: Duration,
    },
    /// Write a whole, checked copy of the SQLite database to a new file; the server may run
    Backup {
        /// The file to make, readable by its owner only
        file: PathBuf,
    },
    /// Put a backup in the place of the SQLite database; no server may run on it
    ///
    /// The database from before is kept beside it. Cursors of the changes from before are gone.
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Write the SQLite database anew without gaps, in which copies of what was erased may be left; the server may run
    ///
    /// Reports wait meanwhile, and are answered 503 where that takes longer than seconds.
    Compact,
    /// Say what is wrong before a start; status 0 if the server can start
    ///
    /// Looks at secrets, database, versions, keys, clock, addresses and limits, and changes nothing.
    Check,
    /// Write every incident with its history to a new file; the server may run
    ///
    /// The file holds the texts of reports and the names of reporters, and only its owner can read it.
    Export {
        /// The file to make; - writes to the standard output
        file: PathBuf,
        /// A JSON object a line, or comma-separated values for spreadsheets
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
    },
    /// Print the OpenAPI document
    Openapi,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated values (RFC 4180).
    Csv,
}

fn shutdown_delay(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(delay) if delay <= MAX_SHUTDOWN_DELAY => Ok(delay),
        _ => Err(format!("a time such as 5s is expected, {} s at most", MAX_SHUTDOWN_DELAY.as_secs())),
    }
}

fn time_to_live(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(ttl) if ttl >= Duration::from_secs(1) => Ok(ttl),
        _ => Err("a time such as 1h or 30days is expected, 1s at least".into()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number of at least 1 is expected".into()),
        Ok(number) => Ok(number),
    }
}
