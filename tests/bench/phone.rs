//! The outbox of a phone: what a report costs, how long opening takes, how fast a full queue goes out.

use std::{path::Path, process::Command, time::Instant};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Draft, EntryState, NextUpload, Options, Outbox, Upload, UploadResult};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Failure, results::median, subject::Subject, watching};

const ROUNDS: usize = 3;
const ENTRIES: usize = 10_000;
/// 2026-11-23T00:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_392_000_000;

/// All figures of this part.
pub(crate) async fn measure() -> Result<Value, Failure> {
    let (mut report_ms, mut open_ms, mut deliver_s) = (Vec::new(), Vec::new(), Vec::new());
    let (mut open_beside_ms, mut list_ms) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let folder = TempDir::new()?;
        let file = folder.path().join("outbox.sqlite");
        report_ms.push(fill(&file)?);
        let opened = Instant::now();
        let mut outbox = open(&file)?;
        open_ms.push(opened.elapsed().as_secs_f64() * 1000.0);
        outbox.network_changed()?; // something stands in the log, as beside an app in use
        open_beside_ms.push(open_beside(&file)?);
        list_ms.push(list_ten(&mut outbox)?);
        deliver_s.push(deliver(&mut outbox).await?);
        println!("phone, round {round}: {ENTRIES} entries delivered in {:.2} s", deliver_s[round - 1]);
    }
    Ok(json!({
        "rounds": ROUNDS,
        "entries": ENTRIES,
        "reportMedianMs": median(report_ms),
        "openMs": median(open_ms),
        "openBesideMs": median(open_beside_ms),
        "listTenMs": median(list_ms),
        "watch": watching::measure()?,
        "deliverSeconds": median(deliver_s),
        "libraryBytes": library_bytes()?,
        "kotlin": kotlin()?,
    }))
}

pub(crate) fn open(file: &Path) -> Result<Outbox, Failure> {
    Ok(Outbox::open(file, Reporter::parse("alice")?, Options::default(), NOW_MS)?)
}

/// Opens the file that another outbox has open, which is what an app's extension does.
fn open_beside(file: &Path) -> Result<f64, Failure> {
    let started = Instant::now();
    let beside = open(file)?;
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    drop(beside);
    Ok(took_ms)
}

/// The slowest page of ten, in milliseconds: the newest of all, or those in a state that none is in.
fn list_ten(outbox: &mut Outbox) -> Result<f64, Failure> {
    let mut slowest_ms: f64 = 0.0;
    for filter in [None, Some(EntryState::Pending), Some(EntryState::Quarantined)] {
        let started = Instant::now();
        outbox.entries(filter, 10, None)?;
        slowest_ms = slowest_ms.max(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(slowest_ms)
}

/// Reports until the queue is full and returns the median time of one report in milliseconds.
fn fill(file: &Path) -> Result<f64, Failure> {
    let mut outbox = open(file)?;
    let report = Draft { room_number: Some("12B".into()), ..Draft::new("ward-7", 12.4924, 41.8902) };
    let mut times = Vec::with_capacity(ENTRIES);
    for now_ms in (NOW_MS..).take(ENTRIES) {
        let started = Instant::now();
        outbox.report(&report, now_ms)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}

/// Sends everything to a server on this machine, as a platform would, and returns the seconds it took.
async fn deliver(outbox: &mut Outbox) -> Result<f64, Failure> {
    let data = TempDir::new()?;
    let subject = Subject::start(data.path(), &[]).await?;
    let client = reqwest::Client::new();
    let started = Instant::now();
    let mut settled = 0;
    while let NextUpload::Send { upload } = outbox.next_upload(NOW_MS)? {
        let (id, result) = (upload.id, send(&client, &subject, upload).await?);
        settled += outbox.complete_upload(id, &result, NOW_MS)?.settled;
    }
    let seconds = started.elapsed().as_secs_f64();
    subject.stop().await?;
    if settled == i64::try_from(ENTRIES)? {
        Ok(seconds)
    } else {
        Err(format!("only {settled} entries settled").into())
    }
}

async fn send(client: &reqwest::Client, subject: &Subject, upload: Upload) -> Result<UploadResult, Failure> {
    let mut request = client.post(format!("{}{}", subject.url(), upload.path)).bearer_auth(subject.token());
    for header in &upload.headers {
        request = request.header(&header.name, &header.value);
    }
    let answer = request.body(upload.body).send().await?;
    let status = i64::from(answer.status().as_u16());
    Ok(UploadResult::Response { status, headers: Vec::new(), body: answer.bytes().await?.to_vec() })
}

/// The size of the library as it goes into an app, for this machine's processor.
fn library_bytes() -> Result<u64, Failure> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(project.join("incident-mobile-ffi/build-phone")).status()?;
    let library = project.join("target/phone-build/phone/libincident_mobile_ffi.so");
    if built.success() {
        Ok(std::fs::metadata(library)?.len())
    } else {
        Err("the phone's library does not build".into())
    }
}

/// The same through Kotlin on a JVM, as its own program measures it.
fn kotlin() -> Result<Value, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../incident-mobile-ffi/kotlin/bench");
    let output = Command::new(script)
        .env("INCIDENT_SERVER_BIN", crate::subject::binary())
        // The server refuses a variable that is none of its settings.
        .env_remove("INCIDENT_BENCH_POSTGRES_URL")
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .map_err(|_| format!("kotlin/bench: {}", String::from_utf8_lossy(&output.stderr)).into())
}
