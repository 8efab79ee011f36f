//! What people do with a phone while it is recorded.

use fastrand::Rng;
use incident_core::Timestamp;
use incident_mobile_ffi::outbox::{
    Draft, Entry, EntryState, Header, Limits, NetworkFailureKind, NextUpload, Options, Outbox, OutboxError,
    Spacing, Upload, UploadResult,
};
use incident_mobile_testing::{Answer, Request, Server};
use tempfile::TempDir;

use crate::{
    Failure,
    images::{memory, put},
    phone::{FILE, NAMES, open, read},
    record::{Event, Files, Life, State},
    recorder,
};

/// Settled entries are remembered for so long.
const SETTLED_FOR_MS: i64 = 60_000;
/// And so many of them.
const SETTLED: i64 = 4;

/// Two people's outboxes on one file, and a server.
pub(crate) struct Phones {
    folder: TempDir,
    outboxes: [Option<Outbox>; 2],
    server: Server,
    rng: Rng,
    now_ms: i64,
    states: Vec<State>,
    /// Whether images are made of it.
    is_kept: bool,
    reports: usize,
    /// Calls that changed the file.
    answers: u64,
}

impl Phones {
    /// Puts the files there and records from now on. The first call opens the outboxes.
    pub(crate) fn begin(base: &Files, state: State, now_ms: i64, rng: Rng) -> Result<Self, Failure> {
        Self::recorded(base, state, now_ms, rng, true)
    }

    fn recorded(base: &Files, state: State, now_ms: i64, rng: Rng, is_kept: bool) -> Result<Self, Failure> {
        let folder = memory()?;
        put(base, folder.path())?;
        recorder::start(folder.path(), is_kept)?;
        let (server, states) = (Server::default(), vec![state]);
        let mut phones = Self {
            folder,
            outboxes: [None, None],
            server,
            rng,
            now_ms,
            states,
            is_kept,
            reports: 0,
            answers: 0,
        };
        // As one call: whoever opens the file erases what is old of both, and only of an open outbox the state is known.
        phones.call(Self::open_both)?;
        Ok(phones)
    }

    /// Does so many things by chance, and ends.
    pub(crate) fn live(mut self, calls: usize) -> Result<Life, Failure> {
        for _ in 0..calls {
            self.now_ms += self.rng.i64(1..20_000);
            let person = usize::from(self.rng.u8(..4) == 0);
            self.call(|phones| phones.anything(person))?;
        }
        self.end()
    }

    /// Takes so many reports, and nothing else, and ends.
    pub(crate) fn report_only(mut self, calls: usize) -> Result<Life, Failure> {
        for _ in 0..calls {
            self.now_ms += 1000;
            self.call(|phones| phones.report(0))?;
        }
        self.end()
    }

    /// Makes calls until so many have changed the file, and says of how many it was.
    pub(crate) fn answers(wanted: u64, now_ms: i64, rng: Rng) -> Result<u64, Failure> {
        let mut phones = Self::recorded(&Files::new(), State::new(), now_ms, rng, false)?;
        while phones.answers < wanted {
            phones.now_ms += phones.rng.i64(1..20_000);
            let person = usize::from(phones.rng.u8(..4) == 0);
            phones.call(|phones| phones.anything(person))?;
        }
        recorder::stop()?;
        Ok(phones.answers)
    }

    fn end(self) -> Result<Life, Failure> {
        // They die with the power, and write nothing any more.
        let (base, events) = recorder::stop()?;
        Ok(Life { base, events, states: self.states, first_call: 0, now_ms: self.now_ms })
    }

    /// One call. When it has returned, whatever it did must be there for good.
    fn call(&mut self, verb: impl FnOnce(&mut Self) -> Result<(), OutboxError>) -> Result<(), Failure> {
        let (before, _) = recorder::unsynced(&[]);
        verb(self).map_err(|error| format!("a call failed: {error:?}"))?;
        // An answer is given after the sync that covers it.
        let (syncs, unsynced) = recorder::unsynced(&[FILE, &format!("{FILE}-wal")]);
        if let Some(what) = unsynced {
            return Err(format!("a call returned before {what} was synced").into());
        }
        self.answers += u64::from(syncs > before);
        if !self.is_kept {
            return Ok(());
        }
        let mut state = self.states.last().cloned().unwrap_or_default();
        for (name, outbox) in NAMES.iter().zip(&mut self.outboxes) {
            let Some(outbox) = outbox else { continue };
            state.retain(|key, _| !key.starts_with(&format!("{name} ")));
            read(outbox, name, &mut state)?;
        }
        recorder::note(Event::Returned(self.states.len()));
        self.states.push(state);
        Ok(())
    }

    fn open(&mut self, person: usize) -> Result<(), OutboxError> {
        let limits = Limits { settled: SETTLED, settled_for_ms: SETTLED_FOR_MS, ..Limits::default() };
        let (spacing, seed) = (Spacing::NONE, Some(self.rng.u64(..)));
        let options = Options { limits, spacing, seed, ..Options::default() };
        self.outboxes[person] = Some(open(self.folder.path(), NAMES[person], options, self.now_ms)?);
        Ok(())
    }

    fn outbox(&mut self, person: usize) -> &mut Outbox {
        self.outboxes[person].as_mut().expect("it is open")
    }

    fn anything(&mut self, person: usize) -> Result<(), OutboxError> {
        let now_ms = self.now_ms;
        match self.rng.u8(..20) {
            0..6 => self.report(person),
            6..9 => self.with_any(person, None, |outbox, entry| {
                match outbox.cancel(entry.key, "a false alarm", now_ms) {
                    Err(OutboxError::AlreadyCancelled) => Ok(()),
                    done => done.map(drop),
                }
            }),
            9..14 => self.exchange(person),
            14 => self.with_any(person, Some(EntryState::Settled), |outbox, entry| outbox.discard(entry.key)),
            15 => self.outbox(person).discard_all(None).map(drop),
            16 => self.outbox(person).retry_all(None, now_ms).map(drop),
            17 => self.outbox(person).network_changed(),
            18 => self.reopen(person),
            _ => self.reopen_both(),
        }
    }

    fn report(&mut self, person: usize) -> Result<(), OutboxError> {
        self.reports += 1;
        let place = format!("ward {} {}", self.reports, "x".repeat(self.rng.usize(..100)));
        let reason = (self.rng.u8(..6) == 0).then(|| "a drill ".repeat(self.rng.usize(1..120)));
        let draft = Draft {
            is_anonymous: self.rng.u8(..3) == 0,
            room_number: self.rng.bool().then(|| "12B".to_owned()),
            cancellation_reason: reason,
            ..Draft::new(place, 12.4924, 41.8902)
        };
        let now_ms = self.now_ms;
        self.outbox(person).report(&draft, now_ms).map(drop)
    }

    fn with_any(
        &mut self,
        person: usize,
        filter: Option<EntryState>,
        verb: impl FnOnce(&mut Outbox, &Entry) -> Result<(), OutboxError>,
    ) -> Result<(), OutboxError> {
        let entries = self.outbox(person).entries(filter, i64::MAX, None)?;
        let Some(entry) = entries.get(self.rng.usize(..entries.len().max(1))) else { return Ok(()) };
        verb(self.outbox(person), entry)
    }

    /// Sends what is next, and takes what comes of it.
    fn exchange(&mut self, person: usize) -> Result<(), OutboxError> {
        let now_ms = self.now_ms;
        let NextUpload::Send { upload } = self.outbox(person).next_upload(now_ms)? else { return Ok(()) };
        let result = match self.rng.u8(..8) {
            0 => UploadResult::Cancelled,
            1 => UploadResult::NetworkFailure {
                kind: NetworkFailureKind::Offline,
                detail: String::new(),
                sent: true,
            },
            2 => refusal(),
            _ => self.answer(person, &upload),
        };
        self.outbox(person).complete_upload(upload.id, &result, now_ms).map(drop)
    }

    fn answer(&mut self, person: usize, upload: &Upload) -> UploadResult {
        self.server.signed_in = incident_core::Reporter::parse(NAMES[person]).ok();
        let headers = upload.headers.iter();
        let header = |header: &Header| incident_mobile_testing::Header {
            name: header.name.clone(),
            value: header.value.clone(),
        };
        let request = Request {
            path: upload.path.clone(),
            headers: headers.map(header).collect(),
            body: upload.body.clone(),
        };
        let now = Timestamp::from_unix_ms(self.now_ms).unwrap_or(Timestamp::MIN);
        match self.server.answer(&request, now) {
            Answer::Response { status, body, .. } => {
                UploadResult::Response { status, headers: Vec::new(), body }
            }
            Answer::NetworkFailure { .. } => UploadResult::Cancelled,
        }
    }

    fn reopen(&mut self, person: usize) -> Result<(), OutboxError> {
        self.outboxes[person] = None;
        self.open(person)
    }

    /// Nobody has the file open in between: its log is emptied and goes.
    fn reopen_both(&mut self) -> Result<(), OutboxError> {
        self.outboxes = [None, None];
        self.now_ms += 2 * SETTLED_FOR_MS;
        self.open_both()
    }

    fn open_both(&mut self) -> Result<(), OutboxError> {
        (0..NAMES.len()).try_for_each(|person| self.open(person))
    }
}

/// The server will not have it.
fn refusal() -> UploadResult {
    let body =
        br#"{"type":"/problems/validation-failed","title":"no","status":422,"disposition":"quarantine"}"#;
    UploadResult::Response { status: 422, headers: Vec::new(), body: body.to_vec() }
}
