//! The server as a program; everything it does is in the library.

use std::process::ExitCode;

use incident_server::cli::Cli;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    let filter = EnvFilter::new(&cli.config.log);
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false);
    // Told by eprintln, a log that cannot be written would be a panic in whatever wanted to log.
    log.with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false).init();
    match incident_server::run::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("incident-server: {error}");
            ExitCode::FAILURE
        }
    }
}
