//! The phone: outboxes of two people on one file.

use std::path::Path;

use fastrand::Rng;
use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Draft, EntryState, Limits, Options, Outbox, OutboxError, Spacing};

use crate::{
    Failure,
    calls::Phones,
    chance,
    damage::damaged,
    images::{Opened, Subject, any_image, look},
    record::{Files, Life, State},
};

/// Who reports.
pub(crate) const NAMES: [&str; 2] = ["alice", "bob"];
/// What the file is called.
pub(crate) const FILE: &str = "outbox";
/// 2026-11-22T10:15:30.120Z.
const BEGINNING_MS: i64 = 1_795_342_530_120;
/// How many times the power is cut and the phone goes on with what is left.
const LIVES: usize = 3;
/// So many calls fill the log up to where SQLite empties it by itself.
const CALLS_UNTIL_FULL: usize = 140;

/// The real outbox.
pub(crate) struct Phone;

impl Subject for Phone {
    fn names(&self) -> (&'static str, &'static str) {
        ("phone", "Phone")
    }

    fn live(&self, seed: u64) -> Result<Vec<Life>, Failure> {
        chance::begin(seed);
        let mut rng = Rng::with_seed(seed);
        let mut lives: Vec<Life> = Vec::new();
        let (mut base, mut state, mut now_ms) = (Files::new(), State::new(), BEGINNING_MS);
        for _ in 0..LIVES {
            let calls = rng.usize(8..16);
            let life = Phones::begin(&base, state, now_ms, rng.fork())?.live(calls)?;
            (now_ms, base) = (life.now_ms, any_image(&life, &mut rng));
            lives.push(life);
            let Ok(left) = look(self, &base, now_ms) else { return Ok(lives) };
            state = left.state;
        }
        let last = &lives[LIVES - 1];
        if let Some((base, left)) = damaged(self, last, &mut rng) {
            lives.push(Phones::begin(&base, left.state, now_ms, rng.fork())?.live(3)?);
        }
        // Its images are a hundred times as large as others.
        if seed % 4 == 1 {
            lives.push(full_log(now_ms, rng.fork())?);
        }
        Ok(lives)
    }

    fn answers(&self, wanted: u64) -> Result<u64, Failure> {
        chance::begin(wanted);
        Phones::answers(wanted, BEGINNING_MS, Rng::with_seed(wanted))
    }

    fn open(&self, folder: &Path, now_ms: i64) -> Result<Opened, String> {
        let mut opened = Opened::default();
        for name in NAMES {
            let mut outbox =
                open(folder, name, remembering(), now_ms).map_err(|error| format!("{error:?}"))?;
            opened.is_repaired |= outbox.recovery().is_some();
            read(&mut outbox, name, &mut opened.state)?;
            goes_on(&mut outbox, now_ms)?;
        }
        Ok(opened)
    }
}

/// A life in which SQLite begins its log anew, behind which old pages stand.
fn full_log(now_ms: i64, rng: Rng) -> Result<Life, Failure> {
    let mut life = Phones::begin(&Files::new(), State::new(), now_ms, rng)?.report_only(CALLS_UNTIL_FULL)?;
    life.first_call = CALLS_UNTIL_FULL - 20;
    Ok(life)
}

/// Opens one person's outbox.
pub(crate) fn open(folder: &Path, name: &str, options: Options, now_ms: i64) -> Result<Outbox, OutboxError> {
    let reporter = Reporter::parse(name).expect("a name");
    Outbox::open(&folder.join(FILE), reporter, options, now_ms)
}

/// Opens the file and closes it, so that nothing is in its log.
///
/// # Errors
/// It does not open.
pub(crate) fn close(folder: &Path, now_ms: i64) -> Result<(), OutboxError> {
    open(folder, NAMES[0], remembering(), now_ms).map(drop)
}

/// Options under which nothing is forgotten by itself.
fn remembering() -> Options {
    let limits = Limits { settled: i64::MAX, settled_for_ms: i64::MAX, ..Limits::default() };
    Options { limits, spacing: Spacing::NONE, seed: Some(1), ..Options::default() }
}

/// Adds what stands in an outbox.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(outbox: &mut Outbox, name: &str, state: &mut State) -> Result<(), String> {
    for entry in outbox.entries(None, i64::MAX, None).map_err(|error| format!("cannot be read: {error:?}"))? {
        let is_under_way = entry.state == EntryState::Sending;
        let stands = if is_under_way { EntryState::Pending } else { entry.state };
        let text = format!("{stands:?} {}", entry.payload.to_canonical_json());
        state.insert(format!("{name} {}", entry.key), text);
    }
    Ok(())
}

/// It takes a report, and has it then.
fn goes_on(outbox: &mut Outbox, now_ms: i64) -> Result<(), String> {
    let entry = outbox
        .report(&Draft::new("behind the power cut", 12.0, 41.0), now_ms)
        .map_err(|error| format!("takes no report: {error:?}"))?;
    outbox.entry(entry.key).map(drop).map_err(|error| format!("does not have its report: {error:?}"))
}
