//! The machine: clock, files, room, addresses.

use std::{net::SocketAddr, path::Path};

use incident_core::Timestamp;
use rustix::fs::{Access, access, statvfs};

use super::Findings;
use crate::{
    Clock,
    cli::Config,
    limits::{FREE_DISK_BYTES, MAX_CONNECTIONS},
    opening::Place,
    serve,
};

/// 2020-01-01. An earlier clock was never set.
const EARLIEST: i64 = 1_577_836_800_000;

pub(super) async fn check(config: &Config, findings: &mut Findings) {
    clock(Clock::system().now(), findings);
    files(findings);
    if !matches!(Place::of(config), Ok(Place::Postgres(_))) {
        directory(&config.data_dir, findings);
    }
    address("--listen", Some(config.listen), findings).await;
    address("--operations-listen", config.operations_listen, findings).await;
}

fn clock(now: Timestamp, findings: &mut Findings) {
    if now.unix_ms() < EARLIEST {
        findings.error(format!("the clock says {now}: no token can be judged by it; set it"));
    } else {
        findings.ok(format!("the clock says {now}"));
    }
}

fn files(findings: &mut Findings) {
    let connections = serve::max_connections();
    if connections < MAX_CONNECTIONS {
        findings.warning(format!(
            "the limit of open files leaves room for {connections} connections of {MAX_CONNECTIONS}; raise it to 8192 \
             (ulimit -n, LimitNOFILE=)"
        ));
    } else {
        findings.ok(format!("files for {connections} connections"));
    }
}

/// The data directory, or where it would be made.
fn directory(data_dir: &Path, findings: &mut Findings) {
    let there = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let (shown, in_it) = (data_dir.display(), there.display());
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        findings.error(format!("this user cannot write in {in_it}, and the data directory is {shown}"));
        return;
    }
    match statvfs(there).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) {
        Ok(free) if free < FREE_DISK_BYTES => {
            findings.warning(format!("{in_it} has only {} MiB left", free / 1024 / 1024));
        }
        _ if data_dir.exists() => findings.ok(format!("the data directory {shown} can be written to")),
        _ => findings.ok(format!("the data directory {shown} is made at the first start")),
    }
}

async fn address(flag: &str, address: Option<SocketAddr>, findings: &mut Findings) {
    let Some(address) = address else { return };
    match serve::bind_for(flag, address).await {
        Ok(_) => findings.ok(format!("{address} is free")),
        // Mostly the server itself, which ends before it is started again.
        Err(taken) => findings.warning(taken),
    }
}
