//! Reads the rows of a corrupt file page by page, without trusting anything that leads from one to the other.
//!
//! Formats: "Database File Format", sections 1.6 (b-tree pages), 2.1 (records) and 4.1 (write-ahead log),
//! at sqlite.org/fileformat2.html. A row counts only if the core can derive its key from its other columns,
//! so that no chance pattern becomes a report.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use incident_core::{IdempotencyKey, Reporter, SyncPayload, decode};

use super::super::{entry::SETTLED, limits::LONGEST_RECORD};

const PAGE: usize = 4096;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INNER: u8 = 0x02;

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

/// What could be read.
#[derive(Default)]
pub(crate) struct Salvaged {
    rows: BTreeMap<IdempotencyKey, Row>,
    /// Reporter and moment of every entry that an index names.
    named: BTreeSet<(String, i64)>,
}

impl Salvaged {
    /// Reads the file and its write-ahead log, as far as there are any.
    pub(crate) fn from_files(file: &Path, logs: &[PathBuf]) -> io::Result<Self> {
        let file = fs::read(file)?;
        let mut pages = Pages::default();
        for (at, page) in file.chunks(PAGE).enumerate() {
            pages.add(at + 1, page);
        }
        for log in logs {
            let log = fs::read(log).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(Vec::new()),
                _ => Err(error),
            })?;
            for frame in log.get(LOG_HEADER..).unwrap_or_default().chunks(FRAME_HEADER + PAGE) {
                let (Some(number), Some(page)) = (frame.get(..4), frame.get(FRAME_HEADER..)) else {
                    continue;
                };
                pages.add(number.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)), page);
            }
        }
        let mut salvaged = Self::default();
        for page in pages.all() {
            salvaged.read_page(&pages, page);
        }
        Ok(salvaged)
    }

    /// In the order in which they were reported.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_key(|row| (row.seq, row.key));
        rows.into_iter()
    }

    /// How many entries an index names that could not be read.
    pub(crate) fn lost(&self) -> i64 {
        let known: BTreeSet<(String, i64)> = (self.rows.values())
            .map(|row| (row.reporter.as_str().to_owned(), row.payload.facts.created_at.unix_ms()))
            .collect();
        i64::try_from(self.named.difference(&known).count()).unwrap_or(i64::MAX)
    }

    fn read_page(&mut self, pages: &Pages, page: &[u8]) {
        // The first page has a file header of 100 bytes before its b-tree header.
        for start in [0, 100] {
            let kind = page.get(start).copied().unwrap_or(0);
            if matches!(kind, TABLE_LEAF | INDEX_LEAF | INDEX_INNER) {
                let header = if kind == INDEX_INNER { 12 } else { 8 };
                let count = u16_at(page, start + 3).unwrap_or(0);
                for cell in 0..count.min(PAGE / 4) {
                    if let Some(at) = u16_at(page, start + header + 2 * cell) {
                        self.read_cell(pages, page, at, kind);
                    }
                }
            }
        }
    }

    fn read_cell(&mut self, pages: &Pages, page: &[u8], at: usize, kind: u8) -> Option<()> {
        let mut cell = Cursor { bytes: page, at: if kind == INDEX_INNER { at + 4 } else { at } };
        let size = usize::try_from(cell.varint()?).ok().filter(|size| *size <= LONGEST_RECORD)?;
        let seq = if kind == TABLE_LEAF { cell.varint()? } else { 0 };
        let record = pages.record(&cell, size, kind)?;
        let values = values(&record)?;
        if kind == TABLE_LEAF {
            self.keep(row(seq, &values)?);
        } else if let [Value::Text(reporter), Value::Integer(created_at_ms), Value::Integer(_)] = &values[..]
        {
            // `entry_turn` has five columns and `entry_age` begins with a number: this is `entry_name`.
            self.named.insert((reporter.clone(), *created_at_ms));
        }
        Some(())
    }

    /// Of two copies of one row the later one counts; a settled one is later than one that is not.
    fn keep(&mut self, row: Row) {
        let rank = |row: &Row| (row.revision, row.state == SETTLED, row.state, row.times.1, row.attempts);
        if self.rows.get(&row.key).is_none_or(|known| rank(known) < rank(&row)) {
            self.rows.insert(row.key, row);
        }
    }
}

/// Every version of every page: from the file, then from the log.
#[derive(Default)]
struct Pages(BTreeMap<usize, Vec<Vec<u8>>>);

impl Pages {
    fn add(&mut self, number: usize, page: &[u8]) {
        self.0.entry(number).or_default().push(page.to_owned());
    }

    fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.values().flatten().map(Vec::as_slice)
    }

    /// The bytes of a record, from its page and its overflow pages (section 1.6: U, P, M, K).
    fn record(&self, cell: &Cursor<'_>, size: usize, kind: u8) -> Option<Vec<u8>> {
        let most = if kind == TABLE_LEAF { PAGE - 35 } else { (PAGE - 12) * 64 / 255 - 23 };
        if size <= most {
            return Some(cell.bytes.get(cell.at..cell.at + size)?.to_owned());
        }
        let least = (PAGE - 12) * 32 / 255 - 23;
        let rest = least + (size - least) % (PAGE - 4);
        let local = if rest <= most { rest } else { least };
        let mut record = cell.bytes.get(cell.at..cell.at + local)?.to_owned();
        let mut next = u32_at(cell.bytes, cell.at + local)?;
        while record.len() < size {
            let page = self.0.get(&next)?.last()?;
            next = u32_at(page, 0)?;
            record.extend_from_slice(page.get(4..PAGE.min(4 + size - record.len()))?);
        }
        Some(record)
    }
}

enum Value {
    Null,
    Integer(i64),
    Text(String),
}

/// The values of a record (section 2.1). Ours hold neither floats nor blobs.
fn values(record: &[u8]) -> Option<Vec<Value>> {
    let mut head = Cursor { bytes: record, at: 0 };
    let head_size = usize::try_from(head.varint()?).ok().filter(|size| *size <= record.len())?;
    let mut body = Cursor { bytes: record, at: head_size };
    let mut values = Vec::new();
    while head.at < head_size {
        values.push(match head.varint()? {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            kind @ 1..=6 => body.integer([1, 2, 3, 4, 6, 8][usize::try_from(kind - 1).ok()?])?,
            kind if kind >= 13 && kind % 2 == 1 => body.text(usize::try_from((kind - 13) / 2).ok()?)?,
            _ => return None,
        });
    }
    Some(values)
}

/// A row in the order of the columns of `entry`; later versions may append some.
fn row(seq: i64, values: &[Value]) -> Option<Row> {
    let text = |at: usize| if let Some(Value::Text(text)) = values.get(at) { Some(text) } else { None };
    let number =
        |at: usize| if let Some(Value::Integer(number)) = values.get(at) { Some(*number) } else { None };
    let reporter = Reporter::parse(text(1)?).ok()?;
    let key: IdempotencyKey = text(2)?.parse().ok()?;
    let payload = decode(text(7)?.as_bytes()).ok()?.payload;
    is_whole(&reporter, key, &payload).then_some(())?;
    Some(Row {
        seq,
        revision: number(4)?,
        state: number(5).filter(|state| (0..=2).contains(state))?,
        times: (number(8)?, number(9)?),
        attempts: number(10)?,
        problem: text(14).cloned(),
        incident: text(15).cloned(),
        reporter,
        key,
        payload,
    })
}

/// The key is derived from reporter and moment: no row that was corrupt or half written gets past this.
fn is_whole(reporter: &Reporter, key: IdempotencyKey, payload: &SyncPayload) -> bool {
    IdempotencyKey::derive(reporter, payload.facts.created_at) == key
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// One to nine bytes, seven bits each, the ninth whole (section 1.6).
    fn varint(&mut self) -> Option<i64> {
        let mut value = 0_i64;
        for count in 1..=9 {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if count == 9 {
                return Some(value << 8 | i64::from(byte));
            }
            value = value << 7 | i64::from(byte & 0x7f);
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }

    fn integer(&mut self, size: usize) -> Option<Value> {
        let bytes = self.bytes.get(self.at..self.at + size)?;
        self.at += size;
        let sign = if bytes[0] >= 0x80 { -1 } else { 0 };
        Some(Value::Integer(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte))))
    }

    fn text(&mut self, size: usize) -> Option<Value> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(size)?)?;
        self.at += size;
        String::from_utf8(bytes.to_owned()).ok().map(Value::Text)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 8 | usize::from(*bytes.get(at + 1)?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? << 16 | u16_at(bytes, at + 2)?)
}
