//! The machine: clock, files, room, addresses.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use incident_core::Timestamp;
use rustix::fs::{Access, access, statvfs};

use super::{findings::Findings, keys};
use crate::{
    Clock,
    cli::Config,
    limits::{FREE_DISK_BYTES, MAX_CONNECTIONS},
    opening,
    serve::{self, BindError},
    store::{DatabaseTarget, Inspection, Schema, SqliteStore},
};

const MIB: u64 = 1024 * 1024;
/// 2020-01-01. An earlier clock was never set.
const EARLIEST: i64 = 1_577_836_800_000;

pub(super) async fn check(config: &Config, findings: &mut Findings) {
    clock(Clock::system().now(), findings);
    files(findings);
    disk(config, findings);
    addresses(config, findings).await;
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
    // Fewer are a caution.
    if connections >= MAX_CONNECTIONS {
        findings.ok(format!("files for {connections} connections"));
    }
}

/// Where a start writes: beside the database's file, and in the data directory if a secret is to be made.
fn disk(config: &Config, findings: &mut Findings) {
    let file = file(config);
    let beside = file.as_deref().map(directory_of);
    if beside == Some(&config.data_dir) || keys::makes_a_secret(config) {
        directory(&config.data_dir, findings);
    }
    let (Some(file), Some(beside)) = (&file, beside) else { return };
    if beside != config.data_dir && !beside.exists() {
        let (file, beside) = (file.display(), beside.display());
        findings.error(format!("cannot open the database {file}: there is no directory {beside}"));
    } else if beside != config.data_dir {
        directory(beside, findings);
    }
    if file.exists() && access(file, Access::READ_OK | Access::WRITE_OK).is_err() {
        findings.error(format!("this user cannot write to the database {}", file.display()));
    }
}

fn file(config: &Config) -> Option<PathBuf> {
    match opening::database(config) {
        Ok(DatabaseTarget::Sqlite(file)) => Some(file),
        Ok(DatabaseTarget::SqliteUrl(url)) => SqliteStore::file_of(&url).ok(),
        Ok(DatabaseTarget::Postgres(_)) | Err(_) => None, // what is wrong with a URL is said where the database is
    }
}

/// Lists and indexes are made anew, beside those of the older version and in the log: about as much as is there.
pub(super) fn room_for_tables(config: &Config, found: Option<&Inspection>, findings: &mut Findings) {
    let is_older = found.is_some_and(|found| found.schema == Schema::Older);
    let Some(file) = file(config).filter(|_| is_older) else { return };
    let needed = fs::metadata(&file).map_or(0, |found| found.len());
    let there = directory_of(&file);
    if let Some(free) = free(there).filter(|free| *free < needed) {
        let (there, free, needed) = (there.display(), free / MIB, needed / MIB);
        findings.warning(format!(
            "{there} has only {free} MiB left, and to bring the tables up to date may take {needed} MiB"
        ));
    }
}

fn free(directory: &Path) -> Option<u64> {
    statvfs(directory).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)).ok()
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A directory, or where it would be made.
fn directory(wanted: &Path, findings: &mut Findings) {
    let there = wanted.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let (shown, in_it) = (wanted.display(), there.display());
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        findings.error(format!("this user cannot write in {in_it}, and the server writes to {shown}"));
        return;
    }
    match free(there) {
        Some(free) if free < FREE_DISK_BYTES => {
            findings.warning(format!("{in_it} has only {} MiB left", free / MIB));
        }
        _ if wanted.exists() => findings.ok(format!("the directory {shown} can be written to")),
        _ => findings.ok(format!("the directory {shown} is made at the first start")),
    }
}

async fn addresses(config: &Config, findings: &mut Findings) {
    let both = serve::bind_both(config.listen, config.operations_listen).await;
    if let Err(twice @ BindError::Twice { .. }) = both {
        findings.error(twice.to_string());
        return;
    }
    drop(both);
    address("--listen", Some(config.listen), findings).await;
    address("--operations-listen", config.operations_listen, findings).await;
}

async fn address(flag: &'static str, address: Option<SocketAddr>, findings: &mut Findings) {
    let Some(address) = address else { return };
    match serve::bind_for(flag, address).await {
        Ok(_) => findings.ok(format!("{address} is free")),
        // Mostly the server itself, which ends before it is started again.
        Err(taken) => findings.warning(taken.to_string()),
    }
}
