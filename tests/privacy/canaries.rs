//! Names, tokens and texts that must be nowhere: sent in, then searched for in every byte that is kept.

use std::{fs, path::Path, process::Command};

use aho_corasick::AhoCorasick;
use futures_util::{StreamExt, stream};
use incident_tests::{Client, Database};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Failure, keys,
    service::{Kind, Service, set_time},
    world::{MORNING_MS, moment},
};

const AT_ONCE: usize = 32;
/// Each somebody brings a name, a token and two texts.
pub(crate) const EACH: usize = 4;

/// What the search came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) canaries: usize,
    pub(crate) bytes: usize,
    /// Names, tokens, refused texts, and hashes of names, anywhere.
    pub(crate) leaked: usize,
    /// Texts of accepted reports in the log or the metrics.
    pub(crate) told: usize,
    /// Texts of accepted reports in the database: that the search finds what is there.
    pub(crate) stored: usize,
}

/// Somebody who reports once, anonymously.
struct Somebody {
    sub: String,
    accepted: String,
    refused: String,
    report: Value,
    key: Option<String>,
}

impl Somebody {
    /// Every other one has an outbox with a sealed key.
    fn new(number: usize) -> Self {
        let name = |kind: &str| {
            let digest = Sha256::digest(format!("{kind} {number}"));
            digest[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        };
        let [who, accepted, refused] = ["who", "accepted", "refused"].map(name);
        let sub = format!("{who}@example.org");
        let created_ms = MORNING_MS + i64::try_from(number).unwrap_or(0);
        let key = keys::sealed(&sub, created_ms, [7; 32]);
        let report = json!({
            "locationId": "ward-7",
            "roomNumber": accepted,
            "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
            "isAnonymous": true,
            "createdAt": moment(created_ms).to_string(),
            "note": refused,
        });
        Self { sub, accepted, refused, report, key: number.is_multiple_of(2).then_some(key) }
    }

    /// Reports; and every fourth repeats it, contradicts it, breaks a rule and reads.
    async fn live(&self, client: Client, is_thorough: bool) {
        let created = self.sync(&client, &self.report).await;
        if !is_thorough {
            return;
        }
        self.sync(&client, &with(&self.report, "cancellationReason", &self.accepted)).await;
        self.sync(&client, &with(&self.report, "locationId", &self.refused)).await;
        self.sync(&client, &with(&self.report, "createdAt", &self.refused)).await;
        client.sync_text(format!("{{\"{}\"", self.refused)).await;
        client.sync_with_key(&self.report, &self.refused).await;
        client.get_with_key(&created, self.key.as_deref().unwrap_or("none")).await;
        client.get(&format!("/api/incidents?locationId={}", self.refused)).await;
        client.get(&format!("/{}", self.refused)).await;
    }

    async fn sync(&self, client: &Client, payload: &Value) -> String {
        let answer = match &self.key {
            Some(key) => client.sync_with_key(payload, key).await,
            None => client.sync(payload).await,
        };
        answer.header("location")
    }
}

fn with(report: &Value, field: &str, value: &str) -> Value {
    let mut report = report.clone();
    report[field] = value.into();
    report
}

/// Plants so many, stops the server and looks.
pub(crate) async fn plant(kind: Kind, canaries: usize) -> Result<Found, Failure> {
    let service = Service::start(kind).await?;
    set_time(MORNING_MS + 1);
    let somebodies: Vec<Somebody> = (0..canaries / EACH).map(Somebody::new).collect();
    let anybody = service.responder();
    let tokens: Vec<String> = somebodies.iter().map(|one| service.token(&one.sub, None)).collect();
    let living = somebodies
        .iter()
        .zip(&tokens)
        .enumerate()
        .map(|(number, (one, token))| one.live(anybody.with_token(token.clone()), number % 4 == 0));
    stream::iter(living).buffer_unordered(AT_ONCE).for_each(async |()| {}).await;
    let metrics = anybody.get("/metrics").await.text;
    let (folder, database) = service.stop().await?;
    let log = fs::read(folder.path().join("log"))?;
    let mut kept = database.kept().await;
    kept.extend(beneath(&database).await?);
    let said = [log, metrics.into_bytes()];
    let (accepted, secrets) = patterns(&somebodies, &tokens);
    let everything: Vec<&[u8]> = kept.iter().chain(&said).map(Vec::as_slice).collect();
    let said: Vec<&[u8]> = said.iter().map(Vec::as_slice).collect();
    Ok(Found {
        canaries,
        bytes: everything.iter().map(|part| part.len()).sum(),
        leaked: count(&secrets, &everything)?,
        told: count(&accepted, &said)?,
        stored: count(&accepted, &kept.iter().map(Vec::as_slice).collect::<Vec<_>>())?,
    })
}

/// What may be in the database, and what may be nowhere.
fn patterns(somebodies: &[Somebody], tokens: &[String]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let accepted = somebodies.iter().map(|one| one.accepted.clone().into_bytes()).collect();
    let mut secrets = Vec::new();
    for (one, token) in somebodies.iter().zip(tokens) {
        let hash = Sha256::digest(&one.sub).to_vec();
        let hex = hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        secrets.extend([
            one.sub.clone().into_bytes(),
            one.refused.clone().into_bytes(),
            hash,
            hex.into_bytes(),
        ]);
        secrets.extend(token.split('.').skip(1).map(|part| part.as_bytes().to_vec()));
    }
    (accepted, secrets)
}

/// How many different ones are found.
fn count(patterns: &[Vec<u8>], parts: &[&[u8]]) -> Result<usize, Failure> {
    let search = AhoCorasick::new(patterns)?;
    let mut found = vec![false; patterns.len()];
    for part in parts {
        for hit in search.find_overlapping_iter(part) {
            found[hit.pattern().as_usize()] = true;
        }
    }
    Ok(found.into_iter().filter(|found| *found).count())
}

/// A dump of a PostgreSQL database, and the files and the log of its server.
async fn beneath(database: &Database) -> Result<Vec<Vec<u8>>, Failure> {
    let Some(url) = database.url() else { return Ok(Vec::new()) };
    // The parameters of such an URL are the driver's own.
    let dump = Command::new("pg_dump").args(url.split('?').take(1)).output()?;
    if !dump.status.success() {
        return Err(format!("pg_dump: {}", String::from_utf8_lossy(&dump.stderr)).into());
    }
    let mut session = database.session().await;
    session.run("CHECKPOINT").await;
    let directory = session.text("SHOW data_directory").await;
    let directory = Path::new(&directory);
    let mut parts = vec![dump.stdout];
    files(directory, &mut parts)?;
    parts.push(fs::read(directory.with_file_name("log"))?);
    Ok(parts)
}

fn files(directory: &Path, parts: &mut Vec<Vec<u8>>) -> Result<(), Failure> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => files(&entry.path(), parts)?,
            // A file may go while the server lives.
            kind if kind.is_file() => parts.extend(fs::read(entry.path()).ok()),
            _ => {}
        }
    }
    Ok(())
}
