//! One sender at a time: a lease in the file, for two processes that share it.
//!
//! It saves requests, it does not guard the truth: two who sent the same entry would do no harm.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{error::OutboxError, limits::LEASE_MS};

/// The senders of this process that are open: a lease of this process's number but of none of them was left
/// by an earlier process with the same number.
static OPEN: Mutex<BTreeSet<i64>> = Mutex::new(BTreeSet::new());

/// One who may hold the lease; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Sender {
    id: i64,
    process: i64,
    /// Until when this sender holds the lease, as far as it knows.
    until_ms: i64,
}

impl Sender {
    /// Its name has nothing to do with any seed: two of one seed are still two.
    pub(crate) fn new() -> Self {
        let id = fastrand::i64(..);
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Self { id, process: i64::from(std::process::id()), until_ms: 0 }
    }

    /// Whether the lease is held long enough for one more upload without being renewed.
    pub(crate) fn holds(&self, now_ms: i64) -> bool {
        (LEASE_MS / 2..=LEASE_MS).contains(&(self.until_ms - now_ms))
    }

    /// Takes or renews the lease; `Some(until_ms)` where somebody else has it.
    pub(crate) fn take(&mut self, connection: &Connection, now_ms: i64) -> Result<Option<i64>, OutboxError> {
        let sql = "SELECT owner, process, until_ms FROM lease WHERE id = 1";
        let held =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        if let Some((owner, process, until_ms)) = held
            && owner != self.id
            && (1..=LEASE_MS).contains(&(until_ms - now_ms))
            && self.is_open(owner, process)
        {
            return Ok(Some(until_ms));
        }
        let sql = "INSERT OR REPLACE INTO lease (id, owner, process, until_ms) VALUES (1, ?1, ?2, ?3)";
        connection.execute(sql, params![self.id, self.process, now_ms + LEASE_MS])?;
        self.until_ms = now_ms + LEASE_MS;
        Ok(None)
    }

    /// Whether there is a lease of its own to give back.
    pub(crate) fn has_lease(&self) -> bool {
        self.until_ms != 0
    }

    /// Gives the lease back.
    pub(crate) fn give_back(&mut self, connection: &Connection) -> Result<(), OutboxError> {
        connection.execute("DELETE FROM lease WHERE owner = ?1", [self.id])?;
        self.until_ms = 0;
        Ok(())
    }

    fn is_open(&self, owner: i64, process: i64) -> bool {
        if process == self.process {
            return OPEN.lock().unwrap_or_else(PoisonError::into_inner).contains(&owner);
        }
        is_alive(process)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Whether the process exists; where that cannot be told, it does.
#[cfg(unix)]
fn is_alive(process: i64) -> bool {
    let Some(pid) = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
fn is_alive(_process: i64) -> bool {
    true
}
