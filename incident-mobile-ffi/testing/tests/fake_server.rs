//! The server with the real outbox: its clock, its faults, and what it says to nonsense.

use std::sync::Arc;

use incident_mobile_ffi::{
    api::{Draft, Outbox},
    outbox::{
        self, EntryState, IncidentStatus, NetworkFailureKind, NextUpload, Upload, UploadResult, WaitReason,
    },
};
use incident_mobile_testing::{
    Answer, FailureKind, FakeFault, FakeServer, FakeServerError, Header, Moment, Request,
};
use tempfile::TempDir;

/// 2026-11-22T10:15:30.120Z.
const NOW_MS: i64 = 1_795_342_530_120;

struct App {
    folder: TempDir,
    server: Arc<FakeServer>,
    outbox: Arc<Outbox>,
}

impl App {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let server = FakeServer::new(Some("alice".into()), Moment(NOW_MS)).unwrap();
        let path = folder.path().join("outbox.db").display().to_string();
        let now = outbox::Moment(NOW_MS);
        let outbox = Outbox::open(path, "alice".into(), None, None, Some(now)).unwrap();
        Self { folder, server, outbox }
    }

    fn report(&self, is_anonymous: bool) -> String {
        let draft = Draft {
            location_id: "ward-7".into(),
            room_number: None,
            longitude: 1.0,
            latitude: 2.0,
            is_anonymous,
            created_at: None,
            cancellation_reason: None,
        };
        self.outbox.report(draft).unwrap().key
    }

    /// What a sync ends with.
    fn sync(&self) -> NextUpload {
        loop {
            match self.outbox.next_upload().unwrap() {
                NextUpload::Send { upload } => {
                    let id = upload.id;
                    let answer = self.server.answer(request(upload)).unwrap();
                    self.outbox.complete_upload(id, result(answer)).unwrap();
                }
                end => return end,
            }
        }
    }

    #[track_caller]
    fn waits(&self) -> (WaitReason, i64) {
        match self.sync() {
            NextUpload::Wait { until, why, .. } => (why, until.0),
            other => panic!("expected a wait, got {other:?}"),
        }
    }

    /// Both clocks, as each package's `FakeServer` turns them.
    fn turn_to(&self, now_ms: i64) {
        self.server.turn_to(Moment(now_ms)).unwrap();
        self.outbox.turn_to(outbox::Moment(now_ms)).unwrap();
    }
}

fn request(upload: Upload) -> Request {
    let headers = upload.headers.into_iter().map(|header| Header { name: header.name, value: header.value });
    Request { path: upload.path, headers: headers.collect(), body: upload.body }
}

fn result(answer: Answer) -> UploadResult {
    match answer {
        Answer::Response { status, headers, body } => {
            let headers = headers.into_iter().map(|Header { name, value }| outbox::Header { name, value });
            UploadResult::Response { status, headers: headers.collect(), body }
        }
        Answer::NetworkFailure { kind, detail, sent } => {
            let kind = match kind {
                FailureKind::Offline => NetworkFailureKind::Offline,
                FailureKind::TimedOut => NetworkFailureKind::TimedOut,
                FailureKind::Other => NetworkFailureKind::Other,
            };
            UploadResult::NetworkFailure { kind, detail, sent }
        }
    }
}

#[test]
fn the_outbox_goes_by_the_clock_of_the_server() {
    let app = App::new();
    app.report(false);
    app.server.order(FakeFault::Busy { retry_after_s: 3600 }, 1).unwrap();
    let (why, until) = app.waits();
    assert_eq!((why, until), (WaitReason::ServerBusy, NOW_MS + 3_600_000));
    app.turn_to(until);
    assert_eq!(app.sync(), NextUpload::Idle);
    assert_eq!(app.server.uploads().unwrap(), 2);
}

#[test]
fn a_lost_answer_leaves_the_report_on_the_server_and_in_the_queue() {
    let app = App::new();
    let key = app.report(false);
    app.server.order(FakeFault::LostAnswer, 1).unwrap();
    let (_, until) = app.waits();
    assert_eq!(app.outbox.entry(key.clone()).unwrap().state, EntryState::Pending);
    assert_eq!(app.server.incidents().unwrap().len(), 1);
    app.turn_to(until);
    assert_eq!(app.sync(), NextUpload::Idle);
    assert_eq!(app.outbox.entry(key).unwrap().state, EntryState::Settled);
    assert_eq!(app.server.incidents().unwrap().len(), 1);
}

#[test]
fn what_the_server_erased_is_erased_here_when_it_is_sent_again() {
    let app = App::new();
    let key = app.report(false);
    app.sync();
    let id = app.server.incidents().unwrap()[0].id.clone();
    app.server.erase(id.clone()).unwrap();
    app.server.erase(id).unwrap();
    app.outbox.cancel(key.clone(), "false alarm".into()).unwrap();
    app.sync();
    assert!(app.outbox.entry(key).is_err());
    let left = &app.server.incidents().unwrap()[0];
    assert_eq!((&left.status, &left.reporter, &left.location_id), (&None, &None, &None));
}

#[test]
fn an_anonymous_incident_has_no_reporter() {
    let app = App::new();
    app.report(true);
    assert_eq!(app.sync(), NextUpload::Idle);
    let incident = &app.server.incidents().unwrap()[0];
    assert_eq!((&incident.reporter, incident.status), (&None, Some(IncidentStatus::Open)));
}

#[test]
fn a_slow_line_gets_smaller_batches_and_a_conflict_a_quarantine_each() {
    let app = App::new();
    for _ in 0..4 {
        app.report(false);
    }
    app.server.order(FakeFault::SlowLine, 1).unwrap();
    app.server.order(FakeFault::Conflict, 1).unwrap();
    let (_, until) = app.waits();
    app.turn_to(until);
    assert_eq!(app.sync(), NextUpload::Idle);
    assert_eq!(app.outbox.summary().unwrap().quarantined, 2);
}

#[test]
fn nonsense_is_refused_in_words_and_changes_nothing() {
    let app = App::new();
    let server = &app.server;
    let busy = FakeFault::Busy { retry_after_s: -1 };
    let told: Vec<String> = [
        server.order(FakeFault::Offline, 0),
        server.order(FakeFault::Offline, i64::MIN),
        server.order(FakeFault::Offline, i64::MAX),
        server.order(busy, 1),
        server.turn_to(Moment(-1)),
        server.turn_to(Moment(i64::MAX)),
        server.erase("no id".into()),
        server.erase("01a202c0-f648-8114-8d97-64d571c679d1".into()),
        server.sign_in(Some(String::new())),
        FakeServer::new(Some("\n".into()), Moment(NOW_MS)).map(|_| ()),
        FakeServer::new(None, Moment(-1)).map(|_| ()),
    ]
    .into_iter()
    .map(|refused| match refused {
        Err(FakeServerError::Nonsense { detail }) => detail,
        Ok(()) => panic!("it was taken"),
    })
    .collect();
    assert!(told.iter().all(|words| words.len() > 20), "{told:?}");
    app.report(false);
    assert_eq!(app.sync(), NextUpload::Idle);
    assert!(app.folder.path().exists());
}
