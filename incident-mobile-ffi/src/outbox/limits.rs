//! Every limit of the outbox, each with its reason.

use std::time::Duration;

/// How much the file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one reporter that wait to be sent.
    pub entries: i64,
    /// Bytes of the file in use; beyond them each reporter may still fill a tenth of as many.
    pub bytes: i64,
    /// Settled entries of one reporter that are remembered.
    pub settled: i64,
    /// How long a settled entry is remembered; 0: it goes at once.
    pub settled_for_ms: i64,
}

/// Years of reports of one person; a month of answers to look at.
impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 50_000_000, settled: 1_000, settled_for_ms: 30 * DAY_MS }
    }
}

const MINUTE_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// One part in this many of [`Limits::bytes`] is always there for each reporter's new reports, whatever others left.
pub(crate) const RESERVED_PART: i64 = 10;

/// How long to wait for another process that is writing: it writes for milliseconds, so one that takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The most entries of one upload; the server takes 500, but a line that breaks loses less of 100.
pub const MAX_UPLOAD_ENTRIES: usize = 100;
/// The most bytes of one upload, unless a single entry is longer: a quarter of what the server takes.
pub const MAX_UPLOAD_BYTES: usize = 256 * 1024;
/// What a batch has beside its entries.
pub(crate) const ENVELOPE_BYTES: usize = 64;
/// What an entry of a batch has beside its payload: its key in quotes, and two commas.
pub(crate) const KEY_BYTES: usize = 40;

/// How long one entry may take: the server gives a body 30 s.
pub(crate) const SINGLE_TIMEOUT_MS: i64 = 30_000;
/// How long a batch may take, on a slow line.
pub(crate) const BATCH_TIMEOUT_MS: i64 = MINUTE_MS;
/// How long after its time-out an upload that nobody completed is given up: the platform's clock is not ours.
pub(crate) const GRACE_MS: i64 = 15_000;
/// How long the right to send holds without being renewed: twice as long as any upload takes, and more.
pub(crate) const LEASE_MS: i64 = 3 * MINUTE_MS;

/// How often who watches looks: people take it for at once, and a look costs some microseconds.
pub const WATCH_EVERY_MS: i64 = 100;
/// How many lines wait for a log that is slow, before the oldest are forgotten: a log is no store.
pub const MAX_LOG_LINES: usize = 100;

/// What the first back-off may be: as long as a lift has no network.
pub(crate) const FIRST_BACK_OFF_MS: i64 = 2_000;
/// The longest back-off: as often as Android runs what recurs.
pub(crate) const LONGEST_BACK_OFF_MS: i64 = 15 * MINUTE_MS;
/// The longest wait that a server may ask for: a report of today is of use tomorrow.
pub(crate) const LONGEST_RETRY_AFTER_MS: i64 = DAY_MS;

/// The longest time that an app may set, a hundred years: it may mean for ever, and is still to be reckoned with.
pub(crate) const LONGEST_SETTING_MS: i64 = 36_500 * DAY_MS;

/// How long an anonymous report waits after a named one at least: longer than the server's clock of minutes.
pub(crate) const SHORTEST_SPACING_MS: i64 = 2 * MINUTE_MS;
/// And at most: others' reports come in between, and it still arrives today.
pub(crate) const LONGEST_SPACING_MS: i64 = 10 * MINUTE_MS;

/// The longest answer that is read: a full batch of ours stays far below, a portal's download does not.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// How many details of a problem are kept: more than a server of ours ever says.
pub(crate) const MAX_DETAILS: usize = 20;
/// How long a detail of a problem may be, and any other text of an answer.
pub(crate) const MAX_DETAIL_CHARS: usize = 1000;
/// How many refusals that are no word of the contract one entry may draw alone while others succeed: with back-off
/// that is hours, in which a server can be repaired.
pub const MAX_STRIKES: i64 = 20;

/// Places between two entries, 2 to this power at most: 64-bit numbers have room for 10¹⁴ entries so far apart.
pub(crate) const LARGEST_STEP_BITS: u32 = 16;

/// How long the millisecond of an erased report is not given out again: no clock steps back further.
pub(crate) const RESERVED_FOR_MS: i64 = 400 * DAY_MS;

/// How many corrupt files are kept, for who wants to know what happened.
pub(crate) const KEPT_CORRUPT_FILES: usize = 2;
/// And for how long: what was discarded since still stands in them.
pub(crate) const CORRUPT_KEPT_FOR_MS: i64 = 30 * DAY_MS;
/// The longest row that is salvaged: no payload of ours comes near.
pub(crate) const LONGEST_RECORD: usize = 1024 * 1024;
