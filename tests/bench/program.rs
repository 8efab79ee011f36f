//! Parts that are programs of their own: their last line is their figures.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::{Failure, subject};

/// Runs a program that was built together with this one; its other output goes on to the terminal.
pub(crate) async fn figures(name: &str, arguments: &[&str]) -> Result<Value, Failure> {
    let program = subject::binary().with_file_name(name);
    let running = Command::new(program).args(arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = running.wait_with_output().await?;
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().unwrap_or_default();
    match serde_json::from_str(last) {
        Ok(figures) if output.status.success() => Ok(figures),
        _ => Err(format!("{name} gave no figures").into()),
    }
}
