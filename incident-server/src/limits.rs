//! How long and how much, each with its reason. What operators may choose is in `cli.rs`.

use std::time::Duration;

/// A request's head is in by then (contract: 408 or a closed connection); an idle connection ends as soon.
pub(crate) const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// A body is in by then: 1 MiB at 35 kB/s.
pub(crate) const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// A peer takes `WRITE_PROGRESS` of an answer in this time: about 1 kB/s. Who is slower holds a connection that others
/// need, whether it reads nothing or a byte now and then.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(15);
/// As `WRITE_DEADLINE`, once the server is stopping: one who does not read delays the end by this much.
pub(crate) const WRITE_DEADLINE_WHILE_STOPPING: Duration = Duration::from_secs(3);
/// The least that counts as reading. The kernel tells of room in portions of about a third of `SEND_BUFFER`.
pub(crate) const WRITE_PROGRESS: usize = 16 * 1024;
/// What the kernel keeps for a peer that does not read (it doubles it). At a round trip of 100 ms 640 kB/s pass, far
/// more than any answer needs.
pub(crate) const SEND_BUFFER: usize = 32 * 1024;
/// After this long without a sign of life from a peer that owes one, or with a window of zero, the kernel gives up.
pub(crate) const PEER_DEADLINE: Duration = Duration::from_secs(30);
/// After this long a connection is closed behind an answer, so that none is held for ever by asking and asking.
pub(crate) const CONNECTION_AGE: Duration = Duration::from_secs(600);
/// How long a client may be silent, after an answer that ends its connection, before it is taken to have understood.
pub(crate) const CLOSING_SILENCE: Duration = Duration::from_millis(500);
/// How long it may go on sending at most.
pub(crate) const CLOSING_DEADLINE: Duration = Duration::from_secs(5);

/// Connections at once. Each may hold a head of `HEAD_BYTES` and a stack of its own, 100 MB in all.
pub(crate) const MAX_CONNECTIONS: usize = 4096;
/// Connections beyond, for who asks whether the server is well; anybody else gets 503 on them.
pub(crate) const HEALTH_CONNECTIONS: usize = 32;
/// On those a head is in by then: they are few.
pub(crate) const HEALTH_HEADER_DEADLINE: Duration = Duration::from_secs(2);
/// Files that are no connections: the database, its side files, the log, the listeners.
pub(crate) const OTHER_FILES: usize = 128;
/// After a connection that could not be accepted (no file left), before the next try.
pub(crate) const PAUSE_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(50);
/// A head, and what is read of a body before somebody asks for it: a token of `TOKEN_BYTES` and as much again.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;

/// A longer token is refused.
pub(crate) const TOKEN_BYTES: usize = 8 * 1024;
/// Verified tokens are remembered up to this many bytes: 10,000 of a usual length, 900 of the greatest.
pub(crate) const CACHED_TOKEN_BYTES: usize = 8 * 1024 * 1024;
/// What a remembered token takes beside its text: who it is for, and the cache's own.
pub(crate) const TOKEN_OVERHEAD_BYTES: usize = 400;
/// How long a token with an unknown key may not make us ask the issuer again: anybody can make up such tokens.
pub(crate) const KEY_SET_COOL_DOWN: Duration = Duration::from_secs(10);
/// Keys are there by then, from an issuer or a file; a sync that waits for them still has some of its 10 s.
pub(crate) const KEY_SET_DEADLINE: Duration = Duration::from_secs(5);

/// Lines of the log that wait to be written, 4 MB at most; more are dropped and counted.
pub(crate) const LOG_LINES: usize = 8192;
/// Between two lines about refusals that anybody can cause, 10,000 of them a second.
pub(crate) const REFUSAL_LOG_PAUSE_MS: i64 = 10_000;

/// One identity's requests at once; a phone has one, a device that passes reports on some.
pub(crate) const REQUESTS_PER_IDENTITY: usize = 256;
/// One identity's streams at once: a control room may share a token.
pub(crate) const STREAMS_PER_IDENTITY: usize = 64;
/// Changes that a stream reads at once, whatever it asks for: a slow reader holds that many, 10 kB each at most.
pub(crate) const STREAM_PAGE: i64 = 32;
/// The bytes of one identity's bodies and answers under way: ten batches of the greatest length.
pub(crate) const BYTES_PER_IDENTITY: usize = 16 * 1024 * 1024;
/// The bytes of all bodies under way beyond the first `FREE_BODY_BYTES` of each.
pub(crate) const BODY_BYTES: usize = 32 * 1024 * 1024;
/// A usual report with its reason. What is shorter never waits for those who send long bodies.
pub(crate) const FREE_BODY_BYTES: usize = 4 * 1024;
/// The bytes of all answers under way that are longer than `FREE_ANSWER_BYTES`.
pub(crate) const ANSWER_BYTES: usize = 48 * 1024 * 1024;
/// As `ANSWER_BYTES`, of what is answered without a token: 15 times the largest file of `/docs`.
pub(crate) const STRANGERS_ANSWER_BYTES: usize = 24 * 1024 * 1024;
/// The answer to a sync, and most lists of one person's incidents.
pub(crate) const FREE_ANSWER_BYTES: u64 = 16 * 1024;

/// A sync is answered by then, whatever the database does. Phones were promised 10 s; one is for the way.
pub(crate) const ANSWER_DEADLINE: Duration = Duration::from_secs(9);
/// What waited for longer than this is answered without being tried, so that a commit still has its own time.
pub(crate) const QUEUE_DEADLINE: Duration = Duration::from_secs(4);
/// After this long a commit is given up by those who wait for it: with the time in the queue less than 9 s.
pub(crate) const COMMIT_DEADLINE: Duration = Duration::from_secs(4);
/// A wait for somebody else's lock ends before those who wait are answered, so that the log can say why.
pub(crate) const LOCK_DEADLINE: Duration = Duration::from_millis(3500);
/// The same as a setting of PostgreSQL.
pub(crate) const LOCK_DEADLINE_SETTING: &str = "3500ms";
/// How long the start waits for a first commit before it says that there is none, and tries again.
pub(crate) const FIRST_COMMIT_DEADLINE: Duration = Duration::from_secs(5);
/// A read is answered by then.
pub(crate) const READ_DEADLINE: Duration = Duration::from_secs(4);

/// What may wait for its commit, in bytes, whatever number of payloads the operator lets wait: the texts of 4,096
/// payloads of the greatest length are 20 MB.
pub(crate) const QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// One failed commit may be bad luck (a session that was ended, a lock); two in a row are a database that is away.
pub(crate) const FAILURES_THAT_SUSPEND: u32 = 2;
/// How often a database that is away is asked whether it commits again; phones come back after 1 to 5 s.
pub(crate) const PROBE_PAUSE: Duration = Duration::from_millis(250);
/// A probe is as good as a new one for this long, however often `/readyz` is asked.
pub(crate) const PROBE_HOLDS: Duration = Duration::from_secs(1);
/// A background task that died of a bug is begun again after this pause, lest it fill the log.
pub(crate) const PAUSE_AFTER_A_BUG: Duration = Duration::from_secs(1);

/// Less room than this on the disk of the data directory is doubtful: the write-ahead log alone takes 64 MiB, and a
/// million incidents 500 MB.
pub(crate) const FREE_DISK_BYTES: u64 = 512 * 1024 * 1024;
/// Clocks of machines that ask the same time servers agree within less.
pub(crate) const CLOCK_DOUBT_MS: u64 = 5_000;
/// From here on every report would be taken for one with a wrong clock.
pub(crate) const CLOCK_FAULT_MS: u64 = 300_000;

/// Spread, so that phones that were sent away in one second do not return in one.
pub(crate) const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u64> = 1..=5;

/// SIGTERM to the last answer: requests have 30 s for their body, and supervisors that kill wait longer than 35 s.
pub(crate) const DRAIN_DEADLINE: Duration = Duration::from_secs(32);
/// How long operators may let `/readyz` say «stopping» first. The drain gets the rest of its 32 s.
pub(crate) const MAX_SHUTDOWN_DELAY: Duration = Duration::from_secs(20);
/// After the last answer, for what is left in the queue and for closing the database. With it, and the second that a log
/// which nobody reads has for its last lines, the end comes within 35 s.
pub(crate) const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Incidents erased in one transaction: a few milliseconds of the writer's time.
pub(crate) const ERASURE_STEP: usize = 100;
/// Incidents of one reporter erased by one request.
pub(crate) const ERASED_AT_ONCE: usize = 10_000;
/// After this long such a request answers how far it came.
pub(crate) const ERASURE_DEADLINE: Duration = Duration::from_secs(5);
/// Between two steps of the retention, so that syncs do not feel it: 1,000 incidents a second at most.
pub(crate) const RETENTION_PAUSE: Duration = Duration::from_millis(100);
/// Between two looks whether something has become too old.
pub(crate) const RETENTION_REST: Duration = Duration::from_secs(60);
/// Between two attempts to empty the write-ahead log of what was erased, which has a minute.
pub(crate) const FORGET_EVERY: Duration = Duration::from_secs(10);
