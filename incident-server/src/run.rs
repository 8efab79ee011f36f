//! From flags to a running server, and to the subcommands.

use std::{
    future,
    io::{self, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use incident_core::Reporter;
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use crate::{
    App, Clock, Parts,
    auth::{SecretFiles, TokenRequest, Verifier, mint_hs256},
    cautions::cautions,
    check,
    cli::{Cli, Command, Config},
    commit::QueueLimits,
    console::{Failure, hand_over, say_aside},
    copies, export,
    limits::DRAIN_DEADLINE,
    opening, routes,
    secrets::{self, HS256_SECRET, SecretError},
    serve,
    signals::{self, Signals},
    supervise::supervised,
    traces, welcome,
};

const WHERE_THE_SECRET_IS: &str = "start the server once, which makes its secret, and give this command the server's \
    --data-dir or --auth-hs256-secret-file";

/// Does what the command line asks for, in a runtime of its own.
///
/// What awaits is compiled where it is waited for: in the program, all of this library would be compiled once more.
///
/// # Errors
/// As those of [`run`], or there is no runtime to be had.
pub fn run_blocking(cli: Cli) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    let done = runtime.block_on(run(cli));
    // A thread that still reads a key set, or asks for an address, is waited for by nobody.
    runtime.shutdown_background();
    done
}

/// Does what the command line asks for.
///
/// # Errors
/// A sentence for people: what happened, where, what to do.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => serve_until_stopped(&cli.config).await,
        Some(Command::Token { sub, scope, ttl }) => {
            let scope = scope.as_deref();
            hand_over(&token(&cli.config, &sub, scope, ttl)?)
        }
        Some(Command::Backup { file }) => copies::backup(&cli.config, &file).await,
        Some(Command::Restore { file }) => copies::restore(&cli.config, &file).await,
        Some(Command::Compact) => copies::compact(&cli.config).await,
        Some(Command::Check) => check::check(&cli.config).await,
        Some(Command::Export { file, format }) => export::export(&cli.config, &file, format).await,
        Some(Command::Openapi) => hand_over(&routes::document().to_pretty_json()?),
    }
}

async fn serve_until_stopped(config: &Config) -> Result<(), Failure> {
    signals::ignore_file_limits()?;
    for caution in cautions(config) {
        tracing::warn!("{caution}");
    }
    let first_start = config.auth_hs256_secret_file.is_none() && !config.data_dir.join(HS256_SECRET).exists();
    signals::ignore_hangups()?;
    let mut signals = Signals::listen()?;
    may_start(config).await?;
    let app = tokio::select! {
        app = open(config) => app?,
        _ = signals.stop() => return Ok(()), // while the database is waited for
    };
    app.erase_after(config.retention);
    let (listener, for_operators) = serve::bind_both(config.listen, config.operations_listen).await?;
    let address = listener.local_addr()?;
    let reloaded = app.clone();
    tokio::spawn(supervised("hangups", move || signals::reload_at_hangups(reloaded.clone())));
    let health = for_operators.as_ref().map(TcpListener::local_addr).transpose()?;
    let (routes, _operations) = match for_operators {
        None => (routes::standalone(app.clone()), None),
        Some(listener) => (routes::for_the_public(app.clone()), Some(serve_operations(&app, listener))),
    };
    say_aside(announcement(config, address, health, first_start)?);
    let (delay, drain) = (config.shutdown_delay, DRAIN_DEADLINE.saturating_sub(config.shutdown_delay));
    serve::serve_announced(drain, listener, routes, &app, stopped(signals, app.clone(), delay)).await;
    tokio::join!(app.drain(), traces::end());
    Ok(())
}

/// Looks at all that may refuse the start, before a database of an older version gets other tables.
async fn may_start(config: &Config) -> Result<(), Failure> {
    opening::may_open(config).await?;
    drop(serve::bind_both(config.listen, config.operations_listen).await?);
    Ok(())
}

async fn open(config: &Config) -> Result<App, Failure> {
    let store = opening::store(config).await?;
    Ok(App::new(Parts {
        verifier: verifier(config).await?,
        id_secret: opening::id_secret(config, &*store).await?,
        store,
        rate_limit: config.rate_limit,
        payload_rate_limit: config.payload_rate_limit,
        limits: QueueLimits { in_flight: config.max_in_flight, batch: config.max_commit_batch },
        clock: Clock::system(),
    }))
}

/// Serves health and metrics until it is dropped: longer than all else, so that a drain can be watched.
fn serve_operations(app: &App, listener: TcpListener) -> JoinSet<()> {
    let mut task = JoinSet::new();
    task.spawn(serve::serve(listener, routes::operations(app.clone()), future::pending()));
    task
}

/// Waits for a signal, then for load balancers to notice.
async fn stopped(mut signals: Signals, app: App, delay: Duration) {
    signals.stop().await;
    tokio::spawn(signals.end_at_the_next());
    app.announce_stop();
    tokio::time::sleep(delay).await;
}

async fn verifier(config: &Config) -> Result<Verifier, Failure> {
    let (issuer, audience) = (config.issuer(), config.auth_audience.clone());
    if let Some(source) = config.key_set() {
        return Ok(Verifier::jwks(source, issuer, audience).await?);
    }
    let current = hs256_secret_file(config)?;
    let files = SecretFiles { current, previous: config.auth_hs256_previous_secret_file.clone() };
    Ok(Verifier::hs256_files(files, issuer, audience)?)
}

/// The file that was named, or the data directory's own, made at the first start.
fn hs256_secret_file(config: &Config) -> Result<PathBuf, Failure> {
    if let Some(file) = &config.auth_hs256_secret_file {
        return Ok(file.clone());
    }
    secrets::make_directory(&config.data_dir)?;
    let own = config.data_dir.join(HS256_SECRET);
    secrets::read_or_make(&own)?;
    Ok(own)
}

fn token(config: &Config, sub: &str, scope: Option<&str>, ttl: Duration) -> Result<String, Failure> {
    if config.has_issuer() {
        return Err("with --auth-jwks or --auth-oidc-issuer, tokens come from the identity provider that owns those keys".into());
    }
    Reporter::parse(sub)?;
    let (issuer, audience) = (config.auth_issuer.as_deref(), config.auth_audience.as_deref());
    let request = TokenRequest { sub, scope, issuer, audience, ttl };
    let secret = match &config.auth_hs256_secret_file {
        Some(file) => secrets::read(file)?,
        None => secrets::read(&config.data_dir.join(HS256_SECRET)).map_err(advise)?,
    };
    Ok(mint_hs256(&secret, request, Clock::system().now()))
}

/// A token under a secret of our own making would be refused by the server it is meant for.
fn advise(error: SecretError) -> Failure {
    match error {
        SecretError::Read { .. } => format!("{error}; {WHERE_THE_SECRET_IS}").into(),
        error => error.into(),
    }
}

/// Where it serves, and what may be tried there.
fn announcement(
    config: &Config,
    address: SocketAddr,
    health: Option<SocketAddr>,
    first_start: bool,
) -> Result<String, Failure> {
    let health = health.map_or_else(String::new, |at| format!("health and metrics on http://{at}\n"));
    let welcome = welcome(config, address, first_start && io::stdout().is_terminal())?;
    Ok(format!("incident-server listens on http://{address}\n{health}{welcome}"))
}

/// What a newcomer may try. A token is shown to a person alone, and only where its secret was just made: what is
/// printed elsewhere is often kept.
fn welcome(config: &Config, address: SocketAddr, with_token: bool) -> Result<String, Failure> {
    if config.has_issuer() {
        return Ok(welcome::with_foreign_tokens(address));
    }
    let hour = Duration::from_secs(3600);
    let token = with_token.then(|| token(config, "alice", None, hour)).transpose()?;
    Ok(welcome::with_own_tokens(config, address, token, Clock::system().now()))
}
