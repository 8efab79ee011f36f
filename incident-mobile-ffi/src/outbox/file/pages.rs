//! The pages of a corrupt file and of its logs, read one at a time: a file of 50 MB must not take as much memory.
//!
//! Formats: "Database File Format", sections 1.6 (b-tree pages) and 4.1 (write-ahead log), at
//! sqlite.org/fileformat2.html.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    super::limits::LONGEST_RECORD,
    format::{FRAME_HEADER, LOG_HEADER, PAGE},
    log::is_whole,
    record::{Cursor, Value, u16_at, u32_at, values},
};

const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INNER: u8 = 0x02;

/// A row of a table, by its number, or a row of an index.
pub(crate) enum Record {
    Table(i64, Vec<Value>),
    Index(Vec<Value>),
}

/// What pages are read of.
pub(crate) trait Bytes {
    /// Reads as much as there is.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// The file and its logs.
pub(crate) struct Pages<B> {
    file: B,
    logs: Vec<B>,
    /// Where the pages of whole frames stand: in which log, and where.
    whole: Vec<(usize, u64)>,
    /// Those of frames whose checksum is wrong.
    damaged: Vec<(usize, u64)>,
    /// The last version of a page that a log has: which log, and where.
    newest: BTreeMap<usize, (usize, u64)>,
}

impl Pages<fs::File> {
    /// Opens the file and its logs, as far as there are any.
    pub(crate) fn open(file: &Path, logs: &[PathBuf]) -> io::Result<Self> {
        let log = |path| match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened),
        };
        Self::of(fs::File::open(file)?, logs.iter().filter_map(log).collect::<io::Result<_>>()?)
    }
}

impl<B: Bytes> Pages<B> {
    /// The pages of a file, and those of its logs.
    pub(crate) fn of(file: B, logs: Vec<B>) -> io::Result<Self> {
        let (mut newest, mut whole, mut damaged) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (log, bytes) in logs.iter().enumerate() {
            let (mut before, mut frame) = ([0; 8], [0; FRAME_HEADER + PAGE]);
            // The head ends with a checksum.
            bytes.read_at(LOG_HEADER as u64 - 8, &mut before)?;
            let mut at = LOG_HEADER as u64;
            loop {
                let read = bytes.read_at(at, &mut frame)?;
                if read < FRAME_HEADER {
                    break;
                }
                let place = (log, at + FRAME_HEADER as u64);
                newest.insert(u32_at(&frame, 0).unwrap_or(0), place);
                let is_whole = read == frame.len() && is_whole(before, &frame);
                if is_whole { &mut whole } else { &mut damaged }.push(place);
                before.copy_from_slice(&frame[16..24]);
                at += (FRAME_HEADER + PAGE) as u64;
            }
        }
        Ok(Self { file, logs, whole, damaged, newest })
    }

    /// Every record of every version of every page: in the file first, and last in the frames whose checksum says that
    /// they are damaged (`true`).
    pub(crate) fn each_record<E: From<io::Error>>(
        &self,
        mut see: impl FnMut(Record, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut page = [0; PAGE];
        let mut at = 0;
        loop {
            let read = self.file.read_at(at, &mut page)?;
            self.read_page(page.get(..read).unwrap_or_default(), &mut |record| see(record, false))?;
            if read < PAGE {
                break;
            }
            at += PAGE as u64;
        }
        for (frames, is_damaged) in [(&self.whole, false), (&self.damaged, true)] {
            for (log, at) in frames {
                let read = self.logs.get(*log).map_or(Ok(0), |log| log.read_at(*at, &mut page))?;
                let page = page.get(..read).unwrap_or_default();
                self.read_page(page, &mut |record| see(record, is_damaged))?;
            }
        }
        Ok(())
    }

    fn read_page<E>(&self, page: &[u8], see: &mut impl FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        // The first page has a file header of 100 bytes before its b-tree header.
        for start in [0, 100] {
            let kind = page.get(start).copied().unwrap_or(0);
            if !matches!(kind, TABLE_LEAF | INDEX_LEAF | INDEX_INNER) {
                continue;
            }
            let header = if kind == INDEX_INNER { 12 } else { 8 };
            let count = u16_at(page, start + 3).unwrap_or(0);
            for cell in 0..count.min(PAGE / 4) {
                let at = u16_at(page, start + header + 2 * cell);
                if let Some(record) = at.and_then(|at| self.read_cell(page, at, kind)) {
                    see(record)?;
                }
            }
        }
        Ok(())
    }

    fn read_cell(&self, page: &[u8], at: usize, kind: u8) -> Option<Record> {
        let mut cell = Cursor { bytes: page, at: if kind == INDEX_INNER { at + 4 } else { at } };
        let size = usize::try_from(cell.varint()?).ok().filter(|size| *size <= LONGEST_RECORD)?;
        let number = if kind == TABLE_LEAF { cell.varint()? } else { 0 };
        let values = values(&self.record(&cell, size, kind)?)?;
        Some(if kind == TABLE_LEAF { Record::Table(number, values) } else { Record::Index(values) })
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
            let page = self.page(next)?;
            next = u32_at(&page, 0)?;
            record.extend_from_slice(page.get(4..PAGE.min(4 + size - record.len()))?);
        }
        Some(record)
    }

    /// The last version of a page.
    fn page(&self, number: usize) -> Option<[u8; PAGE]> {
        // A damaged number may be larger than any file, and its place than a word of 32 bits.
        let in_file = || Some((&self.file, number.checked_sub(1)? as u64 * PAGE as u64));
        let in_log = self.newest.get(&number).and_then(|(log, at)| Some((self.logs.get(*log)?, *at)));
        let (file, at) = in_log.or_else(in_file)?;
        let mut page = [0; PAGE];
        (file.read_at(at, &mut page).ok()? == PAGE).then_some(page)
    }
}

impl Bytes for fs::File {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self;
        file.seek(SeekFrom::Start(at))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }
}

#[cfg(any(test, feature = "__fuzzing"))]
impl Bytes for &[u8] {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On 32 bits the place of such a page is no number.
    #[test]
    fn a_page_number_beyond_any_file_names_no_page() {
        let pages = Pages::of(&[0; 2 * PAGE][..], Vec::new()).unwrap();
        for (number, is_there) in [(0, false), (1, true), (2, true), (3, false), (0xffff_ffff, false)] {
            assert_eq!(pages.page(number).is_some(), is_there, "{number}");
        }
    }

    /// The row of this number, in which nothing stands.
    fn put_row(page: &mut [u8], at: usize, number: u8) {
        page[at..at + 3].copy_from_slice(&[1, number, 1]);
    }

    #[test]
    fn a_page_has_as_many_rows_as_it_says_and_no_older_ones() {
        let mut page = [0; PAGE];
        page[..12].copy_from_slice(&[TABLE_LEAF, 0, 0, 0, 1, 0, 0, 0, 0x0f, 0, 0x0e, 0]);
        put_row(&mut page, 0x0f00, 5);
        put_row(&mut page, 0x0e00, 6);
        let mut rows = Vec::new();
        let see = |record, _| {
            if let Record::Table(number, _) = record {
                rows.push(number);
            }
            Ok::<_, io::Error>(())
        };
        Pages::of(&page[..], Vec::new()).unwrap().each_record(see).unwrap();
        assert_eq!(rows, [5]);
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_is_not_there_is_none_and_one_that_cannot_be_opened_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let [file, missing, looping] = ["file", "missing", "looping"].map(|name| folder.path().join(name));
        fs::write(&file, [0; PAGE]).unwrap();
        std::os::unix::fs::symlink(&looping, &looping).unwrap();
        assert!(Pages::open(&file, &[missing]).is_ok());
        assert!(Pages::open(&file, &[looping]).is_err());
    }
}
