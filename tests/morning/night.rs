//! Reports without a network: a real outbox for every phone.

use std::{
    path::{Path, PathBuf},
    thread,
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Draft, NextUpload, Options, Outbox, Upload, UploadResult};
use incident_server::Clock;

use crate::Failure;

/// What each phone reports.
pub(crate) const REPORTS: u32 = 5;
/// The outage lasted this long.
const NIGHT_MS: i64 = 8 * 3600 * 1000;

/// A phone between night and morning.
pub(crate) struct Phone {
    pub(crate) number: u32,
    pub(crate) file: PathBuf,
    pub(crate) token: String,
    /// What it will send first.
    pub(crate) upload: Upload,
}

impl Phone {
    /// Opens its outbox.
    pub(crate) fn open(&self, now_ms: i64) -> Result<Outbox, Failure> {
        open(&self.file, self.number, now_ms)
    }
}

fn open(file: &Path, number: u32, now_ms: i64) -> Result<Outbox, Failure> {
    Ok(Outbox::open(file, Reporter::parse(&reporter(number))?, Options::default(), now_ms)?)
}

fn reporter(number: u32) -> String {
    format!("phone-{number}")
}

/// The phone's clock.
pub(crate) fn now_ms() -> i64 {
    Clock::system().now().unix_ms()
}

/// Lets every phone report, on all processors.
pub(crate) async fn report(
    folder: &Path,
    phones: u32,
    token: impl Fn(&str) -> Result<String, Failure>,
) -> Result<Vec<Phone>, Failure> {
    let tokens = (0..phones).map(|number| token(&reporter(number))).collect::<Result<Vec<_>, _>>()?;
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || {
        let work = |(number, token): (u32, String)| {
            // A directory for each thousand: no file system likes many files in one.
            let place = folder.join(format!("outboxes/{}", number / 1000));
            std::fs::create_dir_all(&place)?;
            night(place.join(format!("{number}.sqlite")), number, token)
        };
        on_all_processors((0..).zip(tokens).collect(), &work)
    })
    .await?
}

fn night(file: PathBuf, number: u32, token: String) -> Result<Phone, Failure> {
    let (now_ms, mut rng) = (now_ms(), fastrand::Rng::with_seed(number.into()));
    let mut outbox = open(&file, number, now_ms)?;
    for count in 0..REPORTS {
        let report = Draft {
            room_number: Some("12B".into()),
            ..Draft::new(format!("location-{}", rng.u32(..1000)), 12.4924, 41.8902)
        };
        let at_ms = now_ms - NIGHT_MS + rng.i64(0..NIGHT_MS);
        let entry = outbox.report(&report, at_ms)?;
        if (number * REPORTS + count).is_multiple_of(10) {
            outbox.cancel(entry.key, "false alarm", at_ms)?;
        }
    }
    let NextUpload::Send { upload } = outbox.next_upload(now_ms)? else {
        return Err("an outbox with reports has nothing to send".into());
    };
    outbox.complete_upload(upload.id, &UploadResult::Cancelled, now_ms)?;
    Ok(Phone { number, file, token, upload })
}

/// Does the same with everything, and returns the results in order.
pub(crate) fn on_all_processors<T: Send, R: Send>(
    items: Vec<T>,
    work: &(impl Fn(T) -> Result<R, Failure> + Sync),
) -> Result<Vec<R>, Failure> {
    let processors = thread::available_parallelism()?.get();
    let size = items.len().div_ceil(processors).max(1);
    let mut items = items.into_iter();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        loop {
            let part: Vec<T> = items.by_ref().take(size).collect();
            if part.is_empty() {
                break;
            }
            threads.push(scope.spawn(move || part.into_iter().map(work).collect::<Result<Vec<R>, _>>()));
        }
        let mut results = Vec::new();
        for thread in threads {
            results.extend(thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok(results)
    })
}
