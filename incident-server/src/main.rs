//! The server as a program; everything it does is in the library.

use std::process::ExitCode;

use incident_server::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    let _log = incident_server::log::start(&cli.config.log);
    match incident_server::run::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("incident-server: {error}");
            ExitCode::FAILURE
        }
    }
}
