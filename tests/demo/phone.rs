//! A simulated phone: the real outbox, somebody who reports and calls off, and a network that comes and goes.

use std::{path::Path, sync::Arc, thread, time::Duration};

use fastrand::Rng;
use incident_core::{IdempotencyKey, Reporter, Status};
use incident_mobile_ffi::outbox::{
    Draft, Entry, EntryState, NextUpload, Options, Outbox, OutboxError, Spacing,
};
use incident_server::Clock;

use crate::{
    Failure,
    network::{Connectivity, Network},
    tally::Tally,
};

const BEAT: Duration = Duration::from_millis(100);
const EVERY_ENTRY: i64 = 100_000;
const PLACES: [(&str, f64, f64); 10] = [
    ("ward-7", 12.4924, 41.8902),
    ("emergency", 12.4931, 41.8909),
    ("ward-3", 12.4919, 41.8897),
    ("maternity", 12.4938, 41.8895),
    ("radiology", 12.4927, 41.8914),
    ("ward-12", 12.4911, 41.8906),
    ("pharmacy", 12.4935, 41.8901),
    ("operating-theatre-2", 12.4922, 41.8908),
    ("dialysis", 12.4915, 41.8912),
    ("car-park-east", 12.4949, 41.8899),
];
const REASONS: [&str; 4] =
    ["Resolved on site.", "False alarm.", "Reported twice by mistake.", "The patient was found."];

/// A phone in somebody's pocket.
pub(crate) struct Phone {
    outbox: Outbox,
    network: Network,
    random: Rng,
    clock: Clock,
    tally: Arc<Tally>,
    /// Reports that may still be called off.
    open: Vec<IdempotencyKey>,
    connectivity_until_ms: i64,
}

impl Phone {
    pub(crate) fn new(
        file: &Path,
        reporter: &str,
        network: Network,
        seed: u64,
        tally: Arc<Tally>,
    ) -> Result<Self, Failure> {
        let clock = Clock::system();
        // A demo is shorter than the distance between a named report and an anonymous one.
        let options = Options { seed: Some(seed), spacing: Spacing::NONE, ..Options::default() };
        let outbox = Outbox::open(file, Reporter::parse(reporter)?, options, clock.now().unix_ms())?;
        Ok(Self {
            outbox,
            network,
            random: Rng::with_seed(seed),
            clock,
            tally,
            open: Vec::new(),
            connectivity_until_ms: 0,
        })
    }

    /// Reports, calls off, loses the network and finds it again until `end_ms`; then delivers what is left, and
    /// hands over every entry as the outbox knows it.
    pub(crate) fn live(mut self, end_ms: i64) -> Result<Vec<Entry>, Failure> {
        while self.now_ms() < end_ms {
            self.change_connectivity();
            self.act()?;
            self.deliver()?;
            pause();
        }
        self.go(Connectivity::Online);
        self.deliver_all()?;
        Ok(self.outbox.entries(None, EVERY_ENTRY, None)?)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().unix_ms()
    }

    fn change_connectivity(&mut self) {
        let now_ms = self.now_ms();
        if now_ms < self.connectivity_until_ms {
            return;
        }
        self.connectivity_until_ms = now_ms + self.random.i64(2_000..9_000);
        let connectivity = match self.random.u8(0..10) {
            0..5 => Connectivity::Online,
            5..8 => Connectivity::Offline,
            _ => Connectivity::LosesAnswers,
        };
        self.go(connectivity);
    }

    fn go(&mut self, connectivity: Connectivity) {
        let offline = |connectivity| i64::from(connectivity == Connectivity::Offline);
        self.tally.went_offline(offline(connectivity) - offline(self.network.connectivity));
        self.network.connectivity = connectivity;
    }

    fn act(&mut self) -> Result<(), Failure> {
        match self.random.u8(0..100) {
            0..6 => self.report(),
            6..8 => self.call_off(),
            _ => Ok(()),
        }
    }

    fn report(&mut self) -> Result<(), Failure> {
        let (place, longitude, latitude) = PLACES[self.random.usize(0..PLACES.len())];
        let mut near = || (self.random.f64() - 0.5) * 0.0008;
        let (longitude, latitude) = (longitude + near(), latitude + near());
        let report = Draft {
            room_number: Some(format!("{}{}", self.random.u8(1..40), self.random.char('A'..='C'))),
            is_anonymous: self.random.u8(0..10) == 0,
            ..Draft::new(place, longitude, latitude)
        };
        let now_ms = self.now_ms();
        self.open.push(self.outbox.report(&report, now_ms)?.key);
        if report.is_anonymous {
            self.tally.reported_anonymously();
        }
        self.tally.reported();
        Ok(())
    }

    fn call_off(&mut self) -> Result<(), Failure> {
        if self.open.is_empty() {
            return Ok(());
        }
        let key = self.open.swap_remove(self.random.usize(0..self.open.len()));
        let was_delivered = match self.outbox.entry(key) {
            // An anonymous one that has arrived.
            Err(OutboxError::NotFound) => return Ok(()),
            entry => entry?.state == EntryState::Settled,
        };
        let now_ms = self.now_ms();
        self.outbox.cancel(key, REASONS[self.random.usize(0..REASONS.len())], now_ms)?;
        self.tally.cancelled(was_delivered);
        Ok(())
    }

    /// Sends until the outbox wants to wait or has nothing left; says whether there is nothing left.
    fn deliver(&mut self) -> Result<bool, Failure> {
        loop {
            let now_ms = self.now_ms();
            match self.outbox.next_upload(now_ms)? {
                NextUpload::Idle => return Ok(true),
                NextUpload::Wait { .. } => return Ok(false),
                NextUpload::SignIn { .. } => {
                    return Err("the server did not take the demo's own token".into());
                }
                NextUpload::Send { upload } => {
                    let (way, result) = self.network.send(&upload);
                    let now_ms = self.now_ms();
                    let progress = self.outbox.complete_upload(upload.id, &result, now_ms)?;
                    self.tally.sent(&upload, way, progress);
                }
            }
        }
    }

    /// The network is back, and its owner pulls down the list to refresh it.
    fn deliver_all(&mut self) -> Result<(), Failure> {
        while !self.deliver()? {
            if let Some(pending) = self.outbox.entries(Some(EntryState::Pending), 1, None)?.first() {
                let now_ms = self.now_ms();
                self.outbox.retry(pending.key, now_ms)?;
            }
            pause();
        }
        Ok(())
    }
}

/// Whether the phone's owner called the report off.
pub(crate) fn expected_status(entry: &Entry) -> Status {
    if entry.payload.cancellation_reason.is_some() { Status::Cancelled } else { Status::Open }
}

/// The demo is to be watched.
#[expect(clippy::disallowed_methods, reason = "people need time, and nothing is waited for")]
fn pause() {
    thread::sleep(BEAT);
}
