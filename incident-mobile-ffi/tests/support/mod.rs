//! An outbox in a folder of its own, and a server that is only answers.

pub(crate) mod damage;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use incident_core::{IdempotencyKey, Reporter};
use incident_mobile_ffi::outbox::{
    Draft, Entry, EntryState, Header, NetworkFailureKind, NextUpload, Options, Outbox, OutboxError, Progress,
    Upload, UploadResult, WaitReason,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-22T10:15:30.120Z.
pub(crate) const NOW_MS: i64 = 1_795_342_530_120;

pub(crate) struct Phone {
    pub(crate) folder: TempDir,
    pub(crate) outbox: Option<Outbox>,
    pub(crate) now_ms: i64,
}

pub(crate) fn options() -> Options {
    Options { seed: Some(7), ..Options::default() }
}

#[track_caller]
pub(crate) fn open(
    path: &Path,
    reporter: &str,
    options: Options,
    now_ms: i64,
) -> Result<Outbox, OutboxError> {
    Outbox::open(path, Reporter::parse(reporter).unwrap(), options, now_ms)
}

pub(crate) fn draft(location: &str) -> Draft {
    Draft::new(location, 12.4924, 41.8902)
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    #[track_caller]
    pub(crate) fn with(options: Options) -> Self {
        let mut phone = Self { folder: TempDir::new().unwrap(), outbox: None, now_ms: NOW_MS };
        phone.outbox = Some(open(&phone.path(), "alice", options, NOW_MS).unwrap());
        phone
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }

    #[track_caller]
    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        self.outbox.as_mut().unwrap()
    }

    pub(crate) fn restart(&mut self) {
        self.sign_in("alice");
    }

    #[track_caller]
    pub(crate) fn sign_in(&mut self, reporter: &str) {
        drop(self.outbox.take());
        self.outbox = Some(open(&self.path(), reporter, options(), self.now_ms).unwrap());
    }

    /// Reports at a moment of its own.
    #[track_caller]
    pub(crate) fn report(&mut self, location: &str) -> Entry {
        self.now_ms += 1;
        let now_ms = self.now_ms;
        self.outbox().report(&draft(location), now_ms).unwrap()
    }

    #[track_caller]
    pub(crate) fn report_anonymously(&mut self, location: &str) -> Entry {
        self.now_ms += 1;
        let now_ms = self.now_ms;
        let report = Draft { is_anonymous: true, ..draft(location) };
        self.outbox().report(&report, now_ms).unwrap()
    }

    pub(crate) fn cancel(&mut self, key: IdempotencyKey, reason: &str) -> Result<Entry, OutboxError> {
        let now_ms = self.now_ms;
        self.outbox().cancel(key, reason, now_ms)
    }

    pub(crate) fn state(&mut self, key: IdempotencyKey) -> EntryState {
        self.entry(key).state
    }

    #[track_caller]
    pub(crate) fn entry(&mut self, key: IdempotencyKey) -> Entry {
        self.outbox().entry(key).unwrap()
    }

    #[track_caller]
    pub(crate) fn next(&mut self) -> NextUpload {
        let now_ms = self.now_ms;
        self.outbox().next_upload(now_ms).unwrap()
    }

    #[track_caller]
    pub(crate) fn upload(&mut self) -> Upload {
        match self.next() {
            NextUpload::Send { upload } => upload,
            other => panic!("expected an upload, got {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn complete(&mut self, upload: &Upload, result: &UploadResult) -> Progress {
        let now_ms = self.now_ms;
        self.outbox().complete_upload(upload.id, result, now_ms).unwrap()
    }

    /// Sends the next upload and hands back this answer.
    pub(crate) fn answer(&mut self, status: i64, body: &Value) -> Progress {
        let upload = self.upload();
        self.complete(&upload, &response(status, body))
    }

    /// Goes to the end of the wait, which must be one.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> (i64, WaitReason) {
        match self.next() {
            NextUpload::Wait { until, why, .. } => {
                let waited_ms = until.0 - self.now_ms;
                self.now_ms = until.0;
                (waited_ms, why)
            }
            other => panic!("expected a wait, got {other:?}"),
        }
    }

    /// Passes over any wait to the next upload; a queue that gives none after so many waits never will.
    #[track_caller]
    pub(crate) fn upload_at_last(&mut self) -> Upload {
        for _ in 0..1000 {
            match self.next() {
                NextUpload::Send { upload } => return upload,
                NextUpload::Wait { until, .. } => self.now_ms = until.0.max(self.now_ms + 1),
                other => panic!("expected an upload, got {other:?}"),
            }
        }
        panic!("it waits for ever");
    }
}

pub(crate) fn response(status: i64, body: &Value) -> UploadResult {
    respond(status, &[], body.to_string().as_bytes())
}

pub(crate) fn respond(status: i64, headers: &[(&str, &str)], body: &[u8]) -> UploadResult {
    let header = |(name, value): &(&str, &str)| Header { name: (*name).into(), value: (*value).into() };
    UploadResult::Response { status, headers: headers.iter().map(header).collect(), body: body.to_vec() }
}

pub(crate) fn settled(key: IdempotencyKey, outcome: &str, status: &str) -> Value {
    let cancelled = (status == "Cancelled").then_some("2026-11-22T12:00:00.000Z");
    json!({"outcome": outcome, "disposition": "settled", "idempotencyKey": key, "incident": {
        "id": "01a202c0-f648-8114-8d97-64d571c679d1", "status": status, "locationId": "w",
        "receivedAt": "2026-11-22T12:00:00.000Z", "clockSuspect": false, "cancelledAt": cancelled}})
}

pub(crate) fn created(key: IdempotencyKey) -> Value {
    settled(key, "created", "Open")
}

/// One item of a batch answer.
pub(crate) fn item(status: i64, mut body: Value) -> Value {
    body["httpStatus"] = status.into();
    body
}

pub(crate) fn problem(status: i64, slug: &str, disposition: &str) -> Value {
    json!({"type": format!("/problems/{slug}"), "title": "t", "status": status, "detail": "d",
        "disposition": disposition})
}

/// The payloads of an upload, one or many.
#[track_caller]
pub(crate) fn payloads(upload: &Upload) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&upload.body).unwrap();
    body.get("incidents")
        .map_or_else(|| vec![body.clone()], |incidents| incidents.as_array().unwrap().clone())
}

/// There is no network.
pub(crate) fn no_network() -> UploadResult {
    failure(NetworkFailureKind::Offline, false)
}

/// The network fails in this way.
pub(crate) fn failure(kind: NetworkFailureKind, sent: bool) -> UploadResult {
    UploadResult::NetworkFailure { kind, detail: "no route".into(), sent }
}

/// The keys of an upload, in the order of its payloads.
#[track_caller]
pub(crate) fn keys(upload: &Upload) -> Vec<IdempotencyKey> {
    let body: Value = serde_json::from_slice(&upload.body).unwrap();
    let header = upload.headers.iter().find(|header| header.name == "Idempotency-Key");
    match (body.get("idempotencyKeys"), header) {
        (Some(keys), _) => {
            keys.as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect()
        }
        (None, header) => vec![header.unwrap().value.parse().unwrap()],
    }
}

/// The answer that settles all of an upload.
pub(crate) fn settle_all(upload: &Upload) -> UploadResult {
    let done = |(key, payload): (&IdempotencyKey, &Value)| match payload.get("cancellationReason") {
        Some(_) => settled(*key, "createdAndCancelled", "Cancelled"),
        None => created(*key),
    };
    let (keys, payloads) = (keys(upload), payloads(upload));
    let mut answers: Vec<_> = keys.iter().zip(&payloads).map(done).collect();
    if let [only] = &answers[..] {
        return response(201, only);
    }
    answers = answers.into_iter().map(|answer| item(201, answer)).collect();
    response(200, &json!({ "results": answers }))
}

/// Whether these bytes stand in any file of the folder.
#[track_caller]
pub(crate) fn stands_in(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// A program of `examples/`, with a file as its first argument: Cargo builds them for the tests, beside their folder.
#[track_caller]
pub(crate) fn example(name: &str, file: &Path) -> Command {
    let tests = std::env::current_exe().unwrap();
    let mut command = Command::new(tests.parent().unwrap().parent().unwrap().join("examples").join(name));
    command.arg(file);
    command
}
