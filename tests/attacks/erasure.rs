//! A hundred thousand texts over erased incidents, and ten thousand phones that are late.

use std::path::{Path, PathBuf};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{
    Draft, EntryState, Header, NextUpload, Options, Outbox, Spacing, Upload, UploadResult,
};
use incident_tests::{Client, Server, Setup, payload, until};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Each has a place, a room, a reason and another reason.
const INCIDENTS: usize = 25_000;
const REPORTERS: usize = 250;

fn canary(kind: &str, number: usize) -> String {
    format!("canary-{kind}-{number:05}.")
}

/// How many different ones stand in these bytes.
fn count(parts: &[Vec<u8>]) -> usize {
    let mut found = vec![false; INCIDENTS * 4];
    for part in parts {
        for at in part.windows(7).enumerate().filter(|(_, seven)| *seven == b"canary-").map(|(at, _)| at + 7)
        {
            let text = String::from_utf8_lossy(&part[at..part.len().min(at + 20)]).into_owned();
            let Some((kind, number)) = text.split('.').next().and_then(|text| text.split_once('-')) else {
                continue;
            };
            let kind = ["place", "room", "reason", "other"].iter().position(|one| *one == kind);
            if let (Some(kind), Ok(number)) = (kind, number.parse::<usize>()) {
                found[number * 4 + kind] = true;
            }
        }
    }
    found.into_iter().filter(|found| *found).count()
}

async fn fill(server: &Server) {
    for reporter in 0..REPORTERS {
        let client = server.client(&format!("reporter-{reporter}"));
        let of_theirs = (0..INCIDENTS / REPORTERS).map(|own| reporter * (INCIDENTS / REPORTERS) + own);
        let report = |number: usize| {
            let report = payload::with(payload::numbered(number), "locationId", canary("place", number));
            payload::with(report, "roomNumber", canary("room", number))
        };
        for kind in ["reason", "other"] {
            let reports = of_theirs.clone().map(|n| payload::cancelled(report(n), &canary(kind, n)));
            let answer = client.batch(&reports.collect::<Vec<_>>()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

async fn erase_all(server: &Server) -> usize {
    let officer = server.eraser();
    let mut erased = 0;
    for reporter in 0..REPORTERS {
        let answer = officer.delete(&format!("/api/incidents?reporter=reporter-{reporter}")).await;
        assert_eq!(answer.body["more"], false, "{answer:?}");
        erased += usize::try_from(answer.body["erased"].as_u64().unwrap()).unwrap();
    }
    erased
}

async fn unlimited(setup: Setup) -> Server {
    setup.flag("--rate-limit", "off").flag("--payload-rate-limit", "off").start().await
}

#[tokio::test]
async fn of_a_hundred_thousand_erased_texts_none_is_in_the_file_after_compact() {
    let setup = Setup::new();
    let server = unlimited(setup.clone()).await;
    fill(&server).await;
    assert_eq!(count(&server.database().kept().await), 4 * INCIDENTS, "the search finds what is there");

    assert_eq!(erase_all(&server).await, INCIDENTS);

    let log = server.data_dir().join("incidents.sqlite-wal");
    until("the write-ahead log is emptied", async || {
        std::fs::metadata(&log).is_ok_and(|log| log.len() == 0).then_some(())
    })
    .await;
    let before = count(&server.database().kept().await);
    let compacted = setup.program().args(["compact"]).output().await;
    assert!(compacted.status.success(), "{compacted:?}");
    let after = count(&server.database().kept().await);
    println!("of {} texts {before} were left in gaps, {after} after compact", 4 * INCIDENTS);
    assert_eq!(after, 0);
    let feed = server.responder().get("/api/incidents/changes?limit=1000").await;
    assert!(feed.status == 200 && !feed.text.contains("canary-") && !server.log().contains("canary-"));
    assert_eq!(server.client("late").sync(&payload::report()).await.status, 201, "it serves on");
}

#[tokio::test]
async fn of_a_hundred_thousand_erased_texts_none_is_in_the_tables_of_postgresql_and_after_a_full_vacuum_in_no_file()
 {
    let server = unlimited(Setup::on_postgres()).await;
    fill(&server).await;

    assert_eq!(erase_all(&server).await, INCIDENTS);

    assert_eq!(count(&server.database().kept().await), 0);
    let mut session = server.database().session().await;
    // A plain VACUUM leaves bytes in the free space of pages, and none that a query could find.
    for statement in ["VACUUM FULL incidents", "VACUUM FULL history", "CHECKPOINT"] {
        session.run(statement).await;
    }
    let directory = "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database
        WHERE datname = current_database()";
    let directory = session.text(directory).await;
    let files =
        std::fs::read_dir(directory).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    assert_eq!(count(&files.collect::<Vec<_>>()), 0);
}

const LATE: usize = 5_000;
const PHONES: usize = 10;

/// A phone: its outbox, and how it reaches the server.
struct Phone {
    name: String,
    folder: PathBuf,
    outbox: Outbox,
    client: Client,
    now_ms: i64,
}

impl Phone {
    fn new(folder: &Path, server: &Server, number: usize) -> Self {
        let (name, now_ms) = (format!("phone-{number}"), 1_795_341_600_000);
        let outbox = open(&folder.join(&name), &name, now_ms);
        Self { outbox, client: server.client(&name), now_ms, folder: folder.to_owned(), name }
    }

    /// All arrives, and no answer does: what sends is a copy of the file.
    async fn sync_in_vain(&mut self) {
        let copy = self.folder.join(format!("{}-copy", self.name));
        for end in ["", "-wal"] {
            let name = format!("{}{end}", self.name);
            std::fs::copy(self.folder.join(&name), format!("{}{end}", copy.display())).unwrap();
        }
        let own = std::mem::replace(&mut self.outbox, open(&copy, &self.name, self.now_ms));
        self.sync().await;
        self.outbox = own;
    }

    fn report(&mut self, count: usize) -> Vec<incident_core::IdempotencyKey> {
        let report = |number: usize| Draft::new(format!("ward-{number}"), 12.4924, 41.8902);
        let mut keys = Vec::new();
        for number in 0..count {
            self.now_ms += 1;
            keys.push(self.outbox.report(&report(number), self.now_ms).unwrap().key);
        }
        keys
    }

    /// Sends until there is nothing to send.
    async fn sync(&mut self) -> Vec<Value> {
        let mut results = Vec::new();
        loop {
            match self.outbox.next_upload(self.now_ms).unwrap() {
                NextUpload::Send { upload } => {
                    let (answer, said) = send(&self.client, &upload).await;
                    results.extend(said);
                    self.outbox.complete_upload(upload.id, &answer, self.now_ms).unwrap();
                }
                NextUpload::Wait { until, .. } => self.now_ms = until.0,
                NextUpload::Idle => return results,
                NextUpload::SignIn { detail, .. } => panic!("{detail}"),
            }
        }
    }
}

fn open(file: &Path, name: &str, now_ms: i64) -> Outbox {
    let options = Options { spacing: Spacing::NONE, ..Options::default() };
    Outbox::open(file, Reporter::parse(name).unwrap(), options, now_ms).unwrap()
}

async fn send(client: &Client, upload: &Upload) -> (UploadResult, Vec<Value>) {
    let request = client.request(Method::POST, &upload.path).body(upload.body.clone());
    let request =
        upload.headers.iter().fold(request, |request, Header { name, value }| request.header(name, value));
    let answer = incident_tests::Answer::to(request).await;
    let results = answer.body["results"].as_array().cloned().unwrap_or_else(|| vec![answer.body.clone()]);
    let response = UploadResult::Response {
        status: answer.status.into(),
        headers: Vec::new(),
        body: answer.text.into_bytes(),
    };
    (response, results)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_late_repeats_and_cancellations_none_is_reborn_and_none_is_quarantined() {
    let server = unlimited(Setup::new()).await;
    let folder = TempDir::new().unwrap();
    let (mut outcomes, mut left) = (Vec::new(), 0);
    for number in 0..PHONES {
        let mut phone = Phone::new(folder.path(), &server, number);
        // Half of them arrive and are called off too late; of the others the phone never hears that they arrived.
        let settled = phone.report(LATE / PHONES);
        phone.sync().await;
        phone.report(LATE / PHONES);
        phone.sync_in_vain().await;
        let erased = server.eraser().delete(&format!("/api/incidents?reporter=phone-{number}")).await;
        assert_eq!(erased.body, json!({ "erased": 2 * LATE / PHONES, "more": false }));
        for key in settled {
            phone.outbox.cancel(key, "too late", phone.now_ms).unwrap();
        }
        outcomes.extend(phone.sync().await);
        let quarantined = phone.outbox.entries(Some(EntryState::Quarantined), 10, None).unwrap();
        assert_eq!(quarantined.len(), 0);
        left += phone.outbox.entries(None, 10_000, None).unwrap().len();
    }

    let erased = outcomes.iter().filter(|result| result["outcome"] == "erased").count();
    println!("{} late payloads, {erased} answered erased, {left} entries left on phones", outcomes.len());
    assert_eq!(outcomes.len(), 2 * LATE);
    assert!(outcomes.iter().all(|result| result["disposition"] == "settled"));
    let kept = server.responder().get("/api/incidents").await.body["incidents"].clone();
    assert_eq!((erased, kept), (2 * LATE, json!([])), "none is reborn");
    assert_eq!(left, 0, "what the server erased, the phones erase");
}
