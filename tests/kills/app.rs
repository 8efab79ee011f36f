//! The app: the real outbox, and a network that loses what it pleases.

use std::{io::Write, path::Path};

use fastrand::Rng;
use incident_core::Reporter;
use incident_mobile_ffi::outbox::{
    Draft, NetworkFailureKind, NextUpload, Options, Outbox, Spacing, Upload, UploadResult,
};
use incident_server::Clock;
use reqwest::Client;

use crate::Failure;

/// The outbox and the way to the server.
pub(crate) struct App {
    outbox: Outbox,
    client: Client,
    url: String,
    token: String,
    rng: Rng,
    clock: Clock,
}

impl App {
    pub(crate) fn open(file: &Path, url: &str, token: &str) -> Result<Self, Failure> {
        let clock = Clock::system();
        // The distance between a named report and an anonymous one is longer than all this.
        let options = Options { spacing: Spacing::NONE, ..Options::default() };
        let outbox = Outbox::open(file, Reporter::parse("alice")?, options, clock.now().unix_ms())?;
        if outbox.recovery().is_some() {
            return Err("a kill has made the file corrupt".into());
        }
        let client = Client::builder().no_proxy().build()?;
        Ok(Self { outbox, client, url: url.to_owned(), token: token.to_owned(), rng: Rng::new(), clock })
    }

    /// Reports, calls off and sends until it is killed.
    pub(crate) async fn live(mut self) -> Result<(), Failure> {
        loop {
            let location = format!("ward-{:016x}", self.rng.u64(..));
            let report = self.report(&location);
            let entry = self.outbox.report(&report, self.now_ms())?;
            tell("reported", &location)?;
            if self.rng.u8(0..3) == 0 {
                self.outbox.cancel(entry.key, "false alarm", self.now_ms())?;
                tell("cancelled", &location)?;
            }
            if self.rng.u8(0..4) == 0 {
                self.send(usize::MAX, true).await?;
            }
        }
    }

    /// Sends so many uploads, or fewer where the queue wants to wait.
    pub(crate) async fn send_some(&mut self, most: usize) -> Result<(), Failure> {
        self.send(most, false).await.map(drop)
    }

    /// Sends all that is left.
    pub(crate) async fn send_all(&mut self) -> Result<(), Failure> {
        while self.send(usize::MAX, false).await? != NextUpload::Idle {}
        let summary = self.outbox.summary()?;
        let is_done = (summary.pending, summary.quarantined) == (0, 0);
        if is_done { Ok(()) } else { Err(format!("not all of it arrived: {summary:?}").into()) }
    }

    /// Why the queue has nothing more to send. The network is always another one, so that no back-off holds it up.
    async fn send(&mut self, most: usize, has_faults: bool) -> Result<NextUpload, Failure> {
        self.outbox.network_changed()?;
        let mut next = self.outbox.next_upload(self.now_ms())?;
        for _ in 0..most {
            let NextUpload::Send { upload } = next else { break };
            let result = self.exchange(&upload, has_faults).await;
            self.outbox.complete_upload(upload.id, &result, self.now_ms())?;
            next = self.outbox.next_upload(self.now_ms())?;
        }
        if let NextUpload::Send { upload } = &next {
            self.outbox.complete_upload(upload.id, &UploadResult::Cancelled, self.now_ms())?;
        }
        Ok(next)
    }

    async fn exchange(&mut self, upload: &Upload, has_faults: bool) -> UploadResult {
        let fault = if has_faults { self.rng.u8(0..10) } else { u8::MAX };
        if fault == 0 {
            return no_answer(NetworkFailureKind::Offline);
        }
        if fault == 1 {
            return UploadResult::Response { status: 302, headers: Vec::new(), body: b"<html>".to_vec() };
        }
        let answered = self.request(upload).await;
        // The server may have it, and the phone is not told.
        if matches!(fault, 2 | 3) {
            return no_answer(NetworkFailureKind::TimedOut);
        }
        answered.unwrap_or_else(|_| no_answer(NetworkFailureKind::Refused))
    }

    async fn request(&self, upload: &Upload) -> Result<UploadResult, Failure> {
        let mut request = self.client.post(format!("{}{}", self.url, upload.path)).bearer_auth(&self.token);
        for header in &upload.headers {
            request = request.header(&header.name, &header.value);
        }
        let answer = request.body(upload.body.clone()).send().await?;
        let status = i64::from(answer.status().as_u16());
        Ok(UploadResult::Response { status, headers: Vec::new(), body: answer.bytes().await?.to_vec() })
    }

    fn report(&mut self, location: &str) -> Draft {
        Draft { is_anonymous: self.rng.u8(0..6) == 0, ..Draft::new(location, 12.4924, 41.8902) }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().unix_ms()
    }
}

fn no_answer(kind: NetworkFailureKind) -> UploadResult {
    UploadResult::NetworkFailure { kind, detail: String::new(), sent: true }
}

fn tell(what: &str, location: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what} {location}")?;
    Ok(out.flush()?)
}
