//! A report is made, or called off.

use super::change::Change;
use incident_core::{
    CancellationReason, Code, Draft, IdempotencyKey, Reporter, Status, SyncPayload, Timestamp, Violation,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    Limits, Outbox, OutboxError,
    entry::{COLUMNS, Entry, EntryState, PENDING, QUARANTINED, Stored},
    file::File,
    pace::Pace,
};

/// A report as an app's form gives it; nothing is checked yet.
#[derive(Clone, PartialEq)]
pub struct NewReport {
    /// 1 to 128 characters once trimmed.
    pub location_id: String,
    /// 1 to 64 characters once trimmed; blank means absent.
    pub room_number: Option<String>,
    /// Degrees, −180 to 180.
    pub longitude: f64,
    /// Degrees, −90 to 90.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// In ms since 1970; now if absent.
    pub created_at_ms: Option<i64>,
    /// Why it is called off at once, if it is.
    pub cancellation_reason: Option<String>,
}

/// Milliseconds that this process knows to be taken, without a gap.
#[derive(Debug)]
pub(super) struct Taken {
    from_ms: i64,
    to_ms: i64,
}

impl Default for Taken {
    fn default() -> Self {
        Self { from_ms: 0, to_ms: -1 }
    }
}

impl NewReport {
    /// The payload that this report is.
    ///
    /// # Errors
    /// Every violation at once, in the order of the fields.
    pub fn check(&self, now_ms: i64) -> Result<SyncPayload, Vec<Violation>> {
        SyncPayload::from_draft(&Draft {
            location_id: self.location_id.clone(),
            room_number: self.room_number.clone(),
            longitude: self.longitude,
            latitude: self.latitude,
            is_anonymous: self.is_anonymous,
            created_at_ms: self.created_at_ms.unwrap_or(now_ms),
            cancellation_reason: self.cancellation_reason.clone(),
        })
    }
}

impl Outbox {
    /// Takes a report; it is durable when this returns.
    ///
    /// # Errors
    /// [`OutboxError::Invalid`], [`OutboxError::Full`], or that of the file; then nothing was taken.
    pub fn report(&mut self, report: &NewReport, now_ms: i64) -> Result<Entry, OutboxError> {
        let result = self.take_report(report, now_ms);
        self.heal(result)
    }

    fn take_report(&mut self, report: &NewReport, now_ms: i64) -> Result<Entry, OutboxError> {
        let mut report = report.clone();
        // A moment from a picker is the same on every device of one account; the name must not be.
        if let Some(given_ms) = report.created_at_ms.as_mut().filter(|given_ms| **given_ms % 1000 == 0) {
            *given_ms += self.rng.i64(0..1000);
        }
        let mut payload = report.check(now_ms).map_err(OutboxError::Invalid)?;
        let (reporter, taken, limits) = (&self.reporter, &mut self.taken, self.options.limits);
        self.file.write(&self.options, Change::Report, |transaction| {
            if is_full(transaction, reporter.as_str(), limits)? {
                return Err(OutboxError::Full);
            }
            payload.facts.created_at =
                taken.next_free(transaction, reporter.as_str(), payload.facts.created_at)?;
            let key = IdempotencyKey::derive(reporter, payload.facts.created_at);
            insert(transaction, reporter.as_str(), key, &payload, now_ms)?;
            let mut pace = Pace::load(transaction, reporter.as_str())?;
            if pace.had_no_answer() {
                // Somebody stands there with the device in hand: the network may be back.
                pace.hurry();
                pace.save(transaction, reporter.as_str())?;
            }
            Ok(Entry {
                key,
                state: EntryState::Pending,
                payload,
                reported_at_ms: now_ms,
                changed_at_ms: now_ms,
                attempts: 0,
                problem: None,
                incident: None,
            })
        })
    }

    /// Calls a report off. One composite goes out; it is never removed here, for the server shall know both.
    ///
    /// # Errors
    /// [`OutboxError::AlreadyCancelled`] for another reason than the one it has; the same reason changes nothing.
    pub fn cancel(&mut self, key: IdempotencyKey, reason: &str, now_ms: i64) -> Result<Entry, OutboxError> {
        let result = self.call_off(key, reason, now_ms);
        self.heal(result)
    }

    fn call_off(&mut self, key: IdempotencyKey, reason: &str, now_ms: i64) -> Result<Entry, OutboxError> {
        let pointer = "/cancellationReason";
        let reason = CancellationReason::parse(reason).map_err(|error| {
            OutboxError::Invalid(error.codes.into_iter().map(|code| Violation { pointer, code }).collect())
        })?;
        let reporter = self.reporter.as_str();
        let entry = self.file.write(&self.options, Change::Cancel, |transaction| {
            let mut stored = find(transaction, reporter, key)?;
            if is_news(&stored.entry, &reason)? {
                stored.entry.payload.cancellation_reason = Some(reason);
                stored.entry.changed_at_ms = now_ms;
                if stored.entry.state == EntryState::Settled {
                    stored.entry.state = EntryState::Pending;
                }
                rewrite(transaction, &stored)?;
            }
            Ok(stored.entry)
        })?;
        Ok(self.seen(entry))
    }
}

/// Whether the reason has still to be told; refused where another one stands.
fn is_news(entry: &Entry, reason: &CancellationReason) -> Result<bool, OutboxError> {
    let servers = entry.incident.as_ref().filter(|incident| incident.status == Status::Cancelled);
    let settled = entry.state == EntryState::Settled;
    let servers = servers.filter(|_| settled).and_then(|incident| incident.cancellation_reason.as_deref());
    match (entry.payload.cancellation_reason.as_ref().map(CancellationReason::as_str), servers) {
        (None, None) => Ok(true),
        (Some(stands), _) | (None, Some(stands)) if stands == reason.as_str() => Ok(false),
        _ => Err(OutboxError::AlreadyCancelled),
    }
}

/// Whether this reporter's entries that wait are as many or as long as they may be. What is in quarantine and what
/// others left does not count: of the bytes, a tenth is always there for new reports.
fn is_full(connection: &Connection, reporter: &str, limits: Limits) -> Result<bool, OutboxError> {
    let sql = "SELECT count(*) FROM entry WHERE reporter = ?1 AND state = 0";
    let waiting: i64 = connection.prepare_cached(sql)?.query_row([reporter], |row| row.get(0))?;
    if waiting >= limits.entries {
        return Ok(true);
    }
    if File::bytes(connection)? < limits.bytes {
        return Ok(false);
    }
    let sql = "SELECT coalesce(sum(octet_length(payload)), 0) FROM entry WHERE reporter = ?1 AND state = 0";
    let bytes: i64 = connection.prepare_cached(sql)?.query_row([reporter], |row| row.get(0))?;
    Ok(bytes >= limits.bytes / 10)
}

fn insert(
    transaction: &Transaction<'_>,
    reporter: &str,
    key: IdempotencyKey,
    payload: &SyncPayload,
    now_ms: i64,
) -> Result<(), OutboxError> {
    let sql = "INSERT INTO entry (reporter, key, created_at_ms, revision, state, anonymous, payload,
                                  reported_at_ms, changed_at_ms)
               VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?7)";
    transaction.prepare_cached(sql)?.execute(params![
        reporter,
        key.to_string(),
        payload.facts.created_at.unix_ms(),
        PENDING,
        payload.facts.is_anonymous,
        payload.to_canonical_json(),
        now_ms,
    ])?;
    Ok(())
}

/// The payload changed: a new revision. A quarantined entry stays where it is until its reporter retries it.
fn rewrite(transaction: &Transaction<'_>, stored: &Stored) -> Result<(), OutboxError> {
    let sql = "UPDATE entry SET payload = ?2, revision = revision + 1, state = ?3, changed_at_ms = ?4 WHERE seq = ?1";
    let state = if stored.entry.state == EntryState::Quarantined { QUARANTINED } else { PENDING };
    let payload = stored.entry.payload.to_canonical_json();
    transaction.prepare_cached(sql)?.execute(params![
        stored.seq,
        payload,
        state,
        stored.entry.changed_at_ms
    ])?;
    Ok(())
}

/// Gives an entry the next free millisecond and so a new key: the old one is somebody else's.
pub(super) fn rename(
    transaction: &Transaction<'_>,
    reporter: &Reporter,
    stored: &mut Stored,
    taken: &mut Taken,
) -> Result<(), OutboxError> {
    let facts = &mut stored.entry.payload.facts;
    let spent = "INSERT OR IGNORE INTO spent (reporter, created_at_ms) VALUES (?1, ?2)";
    transaction.prepare_cached(spent)?.execute(params![reporter.as_str(), facts.created_at.unix_ms()])?;
    facts.created_at = taken.next_free(transaction, reporter.as_str(), facts.created_at)?;
    stored.entry.key = IdempotencyKey::derive(reporter, facts.created_at);
    let sql =
        "UPDATE entry SET key = ?2, created_at_ms = ?3, payload = ?4, revision = revision + 1 WHERE seq = ?1";
    let created_at_ms = facts.created_at.unix_ms();
    let payload = stored.entry.payload.to_canonical_json();
    let values = params![stored.seq, stored.entry.key.to_string(), created_at_ms, payload];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The entry of `key`, found by the moment that the key begins with.
pub(super) fn find(
    connection: &Connection,
    reporter: &str,
    key: IdempotencyKey,
) -> Result<Stored, OutboxError> {
    let mut created_at = [0; 8];
    created_at[2..].copy_from_slice(&key.as_bytes()[..6]);
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE reporter = ?1 AND created_at_ms = ?2");
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![reporter, i64::from_be_bytes(created_at)], Stored::read)
        .optional()?;
    found.filter(|stored| stored.entry.key == key).ok_or(OutboxError::NotFound)
}

impl Taken {
    /// The first millisecond from `wanted` on that names no report of this reporter, past or present.
    fn next_free(
        &mut self,
        connection: &Connection,
        reporter: &str,
        wanted: Timestamp,
    ) -> Result<Timestamp, OutboxError> {
        let wanted_ms = wanted.unix_ms();
        if !(self.from_ms..=self.to_ms).contains(&wanted_ms) {
            *self = Self { from_ms: wanted_ms, to_ms: wanted_ms - 1 };
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1 AND created_at_ms = ?2)
                       OR EXISTS (SELECT 1 FROM spent WHERE reporter = ?1 AND created_at_ms = ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        let mut free_ms = self.to_ms + 1;
        while statement.query_row(params![reporter, free_ms], |row| row.get(0))? {
            free_ms += 1;
        }
        self.to_ms = free_ms;
        let violation = Violation { pointer: "/createdAt", code: Code::Timestamp };
        Timestamp::from_unix_ms(free_ms).map_err(|_| OutboxError::Invalid(vec![violation]))
    }
}
