//! What reads from strangers and from damaged files, for the fuzz targets in `tests/fuzz`. Nothing is decided here.

use std::io;

use incident_core::{IdempotencyKey, Reporter, SyncPayload};

use super::{
    answer::{
        consequences::{Consequences, read},
        read::Consequence,
    },
    entry::Problem,
    file::{pages::Pages, salvage::Salvaged},
    upload::{
        in_flight::Item,
        pace::Asked,
        protocol::{Header, SignInReason, UploadResult},
    },
};

/// What an answer means for one entry, or for the request as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it.
    Settled,
    /// The server has erased it.
    Erased,
    /// It is refused.
    Quarantined(Problem),
    /// The request was too large.
    TooLarge,
    /// The token is at fault.
    SignIn(SignInReason),
    /// Not now.
    Wait,
}

impl From<&Consequence> for Verdict {
    fn from(consequence: &Consequence) -> Self {
        match consequence {
            Consequence::Settled(_) => Self::Settled,
            Consequence::Erased => Self::Erased,
            Consequence::Quarantine(problem) => Self::Quarantined(problem.clone()),
            Consequence::TooLarge { .. } => Self::TooLarge,
            Consequence::SignIn(why, _) => Self::SignIn(*why),
            Consequence::Wait { .. } => Self::Wait,
        }
    }
}

/// What an answer means for the entries that were sent.
#[derive(Debug)]
pub struct Verdicts {
    /// For the queue.
    pub whole: Option<Verdict>,
    /// For an entry, by its place among those that were sent.
    pub entries: Vec<(usize, Verdict)>,
    /// How long the queue is asked to wait.
    pub retry_after_ms: Option<i64>,
}

/// Reads the answer to entries with these keys, each named or anonymous.
pub fn answer(
    entries: &[(IdempotencyKey, bool)],
    status: i64,
    headers: Vec<Header>,
    body: Vec<u8>,
) -> Verdicts {
    let item = |(seq, (key, anonymous)): (i64, &(IdempotencyKey, bool))| Item {
        seq,
        key: *key,
        revision: 0,
        anonymous: *anonymous,
        payload: String::new(),
    };
    let items = (0..).zip(entries).map(item).collect();
    let result = UploadResult::Response { status, headers, body };
    let Consequences { whole, items, ours, .. } = read(items, &result);
    let asked = match &result {
        UploadResult::Response { headers, .. } => Asked::read(headers, ours, 0),
        _ => None,
    };
    Verdicts {
        whole: whole.as_ref().map(Verdict::from),
        entries: items
            .iter()
            .map(|(item, verdict)| (usize::try_from(item.seq).unwrap_or(usize::MAX), verdict.into()))
            .collect(),
        retry_after_ms: asked.map(|asked| asked.ms),
    }
}

/// A row of a damaged file that is taken for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRow {
    /// Whose it is.
    pub reporter: Reporter,
    /// Its key.
    pub key: IdempotencyKey,
    /// What was reported.
    pub payload: SyncPayload,
    /// Whether the key is the one that the reporter and the moment have.
    pub is_sure: bool,
}

/// Every row of a damaged file and its log that is taken for an entry.
///
/// # Errors
/// None: both are memory.
pub fn salvage(file: &[u8], log: Option<&[u8]>) -> io::Result<Vec<SavedRow>> {
    let salvaged = Salvaged::of(Pages::of(file, log.into_iter().collect())?)?;
    let mut rows = Vec::new();
    salvaged
        .each_row(|row| {
            let is_sure = salvaged.is_sure(&row.reporter, row.key, &row.payload);
            rows.push(SavedRow { reporter: row.reporter, key: row.key, payload: row.payload, is_sure });
            Ok(())
        })
        .map_err(io::Error::other)?;
    Ok(rows)
}
