//! Reads the rows of a corrupt file page by page, without trusting anything that leads from one to the other.
//!
//! A row counts only if its key fits its other columns, so that no chance pattern becomes a report.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use incident_core::{IdempotencyKey, IncidentKey, OutboxSecret, Reporter, SyncPayload, decode};

use super::{
    super::{
        entry::{PENDING, QUARANTINED, SETTLED},
        error::OutboxError,
    },
    pages::{Bytes, Pages, Record},
    record::Value,
    reserved,
};

/// One row of `entry` that was read whole.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) reporter: Reporter,
    pub(crate) key: IdempotencyKey,
    pub(crate) payload: SyncPayload,
    pub(crate) revision: i64,
    pub(crate) state: i64,
    /// `reported_at_ms` and `changed_at_ms`.
    pub(crate) times: (i64, i64),
    pub(crate) attempts: i64,
    pub(crate) problem: Option<String>,
    pub(crate) incident: Option<String>,
}

/// What could be read beside the entries.
pub(crate) struct Salvaged<B = fs::File> {
    pages: Pages<B>,
    /// The secrets for keys and for marks.
    pub(crate) secrets: Option<(OutboxSecret, OutboxSecret)>,
    /// Marks of erased reports, and until when they are kept.
    pub(crate) marks: BTreeMap<[u8; 32], i64>,
    /// Reporter and moment of every entry that an index names.
    pub(crate) named: BTreeMap<String, BTreeSet<i64>>,
}

/// What is kept of the records that are no entries.
#[derive(Default)]
struct Beside {
    secrets: Option<(OutboxSecret, OutboxSecret)>,
    marks: BTreeMap<[u8; 32], i64>,
    named: BTreeMap<String, BTreeSet<i64>>,
}

impl Beside {
    fn keep(&mut self, record: &Record, is_damaged: bool) {
        match record {
            // `own`; the last version counts, of a damaged page only where there is no other.
            Record::Table(1, values) if !is_damaged || self.secrets.is_none() => {
                if let [Value::Null, Value::Blob(sealing), Value::Blob(marking), ..] = &values[..]
                    && let (Ok(sealing), Ok(marking)) = (sealing[..].try_into(), marking[..].try_into())
                {
                    self.secrets = Some((OutboxSecret::new(sealing), OutboxSecret::new(marking)));
                }
            }
            Record::Table(..) => {}
            Record::Index(values) => match &values[..] {
                // `entry_turn` has five columns, `entry_age` and `entry_list` begin with a number: this is `entry_name`.
                [Value::Text(reporter), Value::Integer(created_at_ms), Value::Integer(_)] => {
                    if !self.named.contains_key(reporter) {
                        self.named.insert(reporter.clone(), BTreeSet::new());
                    }
                    self.named.get_mut(reporter).map(|moments| moments.insert(*created_at_ms));
                }
                [Value::Blob(mark), Value::Integer(until_ms)] => {
                    if let Ok(mark) = mark[..].try_into() {
                        self.marks.insert(mark, *until_ms);
                    }
                }
                _ => {}
            },
        }
    }
}

impl Salvaged {
    /// Reads all but the entries.
    pub(crate) fn from_files(file: &Path, logs: &[PathBuf]) -> io::Result<Self> {
        Self::of(Pages::open(file, logs)?)
    }
}

impl<B: Bytes> Salvaged<B> {
    /// Reads all but the entries.
    pub(crate) fn of(pages: Pages<B>) -> io::Result<Self> {
        let mut beside = Beside::default();
        pages.each_record(|record, is_damaged| {
            beside.keep(&record, is_damaged);
            Ok::<_, io::Error>(())
        })?;
        let Beside { secrets, marks, named } = beside;
        Ok(Self { pages, secrets, marks, named })
    }

    /// Every version of every entry that was not erased, those of damaged pages last.
    pub(crate) fn each_row(
        &self,
        mut keep: impl FnMut(Row) -> Result<(), OutboxError>,
    ) -> Result<(), OutboxError> {
        self.pages.each_record(|record, _| match record {
            Record::Table(seq, values) => match row(seq, &values) {
                Some(row) if !self.is_erased(&row.reporter, row.key.created_at_ms()) => keep(row),
                _ => Ok(()),
            },
            Record::Index(_) => Ok(()),
        })
    }

    /// Whether a mark says that the report of that millisecond was erased.
    pub(crate) fn is_erased(&self, reporter: &Reporter, created_at_ms: i64) -> bool {
        self.secrets.as_ref().is_some_and(|(_, marking)| {
            self.marks.contains_key(&reserved::mark(marking, reporter, created_at_ms))
        })
    }

    /// Whether the key is the one that the reporter and the moment have, and not only one that they may have.
    pub(crate) fn is_sure(&self, reporter: &Reporter, key: IdempotencyKey, payload: &SyncPayload) -> bool {
        let created_at = payload.facts.created_at;
        let sealed =
            self.secrets.as_ref().map(|(sealing, _)| IdempotencyKey::seal(sealing, reporter, created_at));
        key == IdempotencyKey::derive(reporter, created_at) || sealed == Some(key)
    }
}

/// A row in the order of the columns of `entry`; later versions may append some.
fn row(seq: i64, values: &[Value]) -> Option<Row> {
    let text = |at: usize| if let Some(Value::Text(text)) = values.get(at) { Some(text) } else { None };
    let number =
        |at: usize| if let Some(Value::Integer(number)) = values.get(at) { Some(*number) } else { None };
    let reporter = Reporter::parse(text(1)?).ok()?;
    let key: IdempotencyKey = text(2)?.parse().ok()?;
    let payload = decode(text(7)?.as_bytes()).ok()?.payload;
    // A key says of which reporter and which moment it is, a sealed one of which moment.
    IncidentKey::resolve(&payload, &reporter, Some(key)).ok()?;
    (payload.to_canonical_json() == *text(7)?).then_some(())?;
    let count = |at| number(at).unwrap_or(0).clamp(0, i64::from(i32::MAX));
    let incident = text(15).cloned();
    // To send it once more does no harm.
    let is_known = |state: &i64| *state == QUARANTINED || *state == SETTLED && incident.is_some();
    Some(Row {
        seq,
        revision: count(4),
        state: number(5).filter(is_known).unwrap_or(PENDING),
        times: (number(8)?, number(9)?),
        attempts: count(10),
        problem: text(14).cloned(),
        incident,
        reporter,
        key,
        payload,
    })
}
