//! Fills the outbox of the file given as argument with more than 46 MB in a process of its own, spoils its head, and repairs it.
//! Says the file's bytes, the entries saved and lost, and the most memory that the repairing process ever had, in KiB.

use std::{
    error::Error,
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::Command,
};

use incident_core::{IdempotencyKey, Reporter, SyncPayload};
use incident_mobile_ffi::outbox::{Draft, Options, Outbox};
use rusqlite::Connection;

const NOW_MS: i64 = 1_795_342_530_120;
const ENTRIES: usize = 11_500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let path = Path::new(&arguments[1]);
    if arguments.len() > 2 {
        return fill(path);
    }
    Command::new(&arguments[0]).args([&arguments[1], "fill"]).status()?;
    let bytes = fs::metadata(path)?.len();
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&[42; 100])?;
    let outbox = open(path)?;
    let recovery = outbox.recovery().ok_or("it was not corrupt")?;
    println!("{bytes} {} {} {}", recovery.saved, recovery.lost, peak_kib()?);
    Ok(())
}

fn open(path: &Path) -> Result<Outbox, Box<dyn Error>> {
    Ok(Outbox::open(path, Reporter::parse("alice")?, Options::default(), NOW_MS)?)
}

/// Entries of 4 KB, in one transaction: a commit for each would take minutes.
fn fill(path: &Path) -> Result<(), Box<dyn Error>> {
    let reporter = Reporter::parse("alice")?;
    drop(open(path)?);
    let mut connection = Connection::open(path)?;
    let transaction = connection.transaction()?;
    let sql = "INSERT INTO entry (reporter, key, created_at_ms, revision, state, anonymous, payload, reported_at_ms,
                                  changed_at_ms)
               VALUES ('alice', ?1, ?2, 1, 0, 0, ?3, ?2, ?2)";
    for created_at_ms in (NOW_MS..).take(ENTRIES) {
        let payload = long_report(created_at_ms)?;
        let key = IdempotencyKey::derive(&reporter, payload.facts.created_at).to_string();
        transaction.prepare_cached(sql)?.execute((key, created_at_ms, payload.to_canonical_json()))?;
    }
    Ok(transaction.commit()?)
}

fn long_report(created_at_ms: i64) -> Result<SyncPayload, Box<dyn Error>> {
    let report = Draft {
        created_at_ms: Some(created_at_ms),
        cancellation_reason: Some("\u{1f9ef}".repeat(900)),
        ..Draft::new("ward-7", 12.5, 41.9)
    };
    SyncPayload::from_draft(&report, created_at_ms).map_err(|violations| format!("{violations:?}").into())
}

/// `VmHWM` of `/proc/self/status`.
fn peak_kib() -> Result<i64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}
