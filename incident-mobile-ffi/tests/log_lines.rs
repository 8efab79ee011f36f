//! An app's log hears of every event in one line, and whatever it does with it harms nobody.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::sync::{Arc, Mutex, OnceLock};

use incident_mobile_ffi::{
    api::{Draft, Outbox, OutboxError, OutboxLog, Watcher},
    outbox::{NetworkFailureKind, NextUpload, Upload, UploadResult},
};
use support::{problem, response, settle_all};
use tempfile::TempDir;

/// Keeps the lines, and does something with each.
#[derive(Default)]
struct Lines {
    kept: Mutex<Vec<String>>,
    also: OnceLock<Box<dyn Fn() -> Result<(), OutboxError> + Send + Sync>>,
}

impl OutboxLog for Lines {
    fn line(&self, line: String) -> Result<(), OutboxError> {
        self.kept.lock().unwrap().push(line);
        self.also.get().map_or(Ok(()), |also| also())
    }
}

struct App {
    _folder: TempDir,
    lines: Arc<Lines>,
    outbox: Arc<Outbox>,
}

impl App {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(before: impl FnOnce(&std::path::Path)) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("outbox.db");
        before(&path);
        let lines = Arc::new(Lines::default());
        let outbox =
            Outbox::open(path.display().to_string(), "alice".into(), None, Some(lines.clone()), None)
                .unwrap();
        Self { _folder: folder, lines, outbox }
    }

    fn report(&self, location: &str) {
        let draft = Draft {
            location_id: location.into(),
            room_number: None,
            longitude: 1.0,
            latitude: 2.0,
            is_anonymous: false,
            created_at: None,
            cancellation_reason: None,
        };
        self.outbox.report(draft).unwrap();
    }

    fn upload(&self) -> Upload {
        match self.outbox.next_upload().unwrap() {
            NextUpload::Send { upload } => upload,
            other => panic!("expected an upload, got {other:?}"),
        }
    }

    fn complete(&self, result: &UploadResult) {
        self.outbox.complete_upload(self.upload().id, result.clone()).unwrap();
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.kept.lock().unwrap())
    }
}

#[test]
fn each_event_is_one_line_without_a_text_or_a_name() {
    let app = App::new();
    app.report("Sekretariat");
    let upload = app.upload();
    app.outbox.complete_upload(upload.id, settle_all(&upload)).unwrap();
    app.report("Sekretariat");
    app.complete(&response(422, &problem(422, "validation-failed", "quarantine")));
    app.report("Sekretariat");
    app.report("Sekretariat");
    let (kind, detail) = (NetworkFailureKind::Offline, "no route to Sekretariat".into());
    app.complete(&UploadResult::NetworkFailure { kind, detail, sent: false });
    app.outbox.next_upload().unwrap();
    let told = app.told();
    let (waiting, others) = told.split_last().unwrap();
    assert_eq!(
        others,
        [
            "sending 1",
            "sent, answered 201: 1 settled, 0 quarantined, 0 pending",
            "sending 1",
            "sent, answered 422: 0 settled, 1 quarantined, 0 pending",
            "sending 2",
            "no answer (there is no network): 0 settled, 0 quarantined, 2 pending",
        ]
    );
    assert!(waiting.starts_with("waiting until 20") && waiting.ends_with("Z: there is no network"));
    assert!(told.iter().all(|line| !line.contains("Sekretariat") && !line.contains("alice")));
}

#[test]
fn a_token_that_is_asked_for_and_a_repair_are_lines() {
    let app = App::with(|path| std::fs::write(path, [42; 8192]).unwrap());
    assert_eq!(app.told(), ["repaired: 0 saved, 0 lost"]);
    app.report("a");
    app.complete(&response(401, &problem(401, "unauthorized", "reauth")));
    app.outbox.next_upload().unwrap();
    assert_eq!(app.told().last().unwrap(), "waiting for a token: the server wants a valid access token");
}

#[test]
fn a_log_that_fails_costs_no_call() {
    let app = App::new();
    let fails = || Err(OutboxError::Unavailable { detail: "the log is full".into() });
    assert!(app.lines.also.set(Box::new(fails)).is_ok());
    app.report("a");
    app.complete(&UploadResult::Cancelled);
    assert_eq!(app.told(), ["sending 1", "cancelled: 0 settled, 0 quarantined, 1 pending"]);
}

#[test]
fn a_log_that_calls_the_outbox_for_each_line_neither_hangs_nor_overflows() {
    let app = App::new();
    app.report("a");
    let (outbox, watcher) = (app.outbox.clone(), app.outbox.clone().watch().unwrap());
    let calls = move || calls_back(&outbox, &watcher);
    assert!(app.lines.also.set(Box::new(calls)).is_ok());
    app.outbox.next_upload().unwrap();
    let told = app.told().len();
    assert!((2..1000).contains(&told), "{told}");
    assert_eq!(app.outbox.summary().unwrap().pending, 1);
}

/// Each of these makes an event, so that the log would never end.
fn calls_back(outbox: &Outbox, watcher: &Watcher) -> Result<(), OutboxError> {
    watcher.look()?;
    if let NextUpload::Send { upload } = outbox.next_upload()? {
        outbox.complete_upload(upload.id, UploadResult::Cancelled)?;
    }
    outbox.network_changed()
}

#[test]
fn a_log_that_closes_the_outbox_ends_it_and_nothing_else() {
    let app = App::new();
    app.report("a");
    let outbox = app.outbox.clone();
    assert!(app.lines.also.set(Box::new(move || outbox.close())).is_ok());
    app.upload();
    assert_eq!(app.outbox.summary(), Err(OutboxError::Closed));
}
