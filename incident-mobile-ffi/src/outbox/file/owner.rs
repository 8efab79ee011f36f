//! Whose file it is, by its bytes: before its log is looked through, copied or given to SQLite.
//!
//! Formats: "Database File Format", sections 1.3, 1.6 and 4.1 at sqlite.org/fileformat2.html.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use super::{
    super::error::OutboxError,
    filesystem::beside,
    format::{FRAME_HEADER, LOG_HEADER, PAGE, word_at},
    schema::APPLICATION,
};

/// Begins the row of `sqlite_schema` for the table of entries: its type, its name, and again its name.
const OUR_TABLE: &[u8] = b"tableentryentry";

/// Refuses the database of another program, which may be writing it.
///
/// # Errors
/// [`OutboxError::Unavailable`]; what is damaged is not refused, since it may be ours.
pub(crate) fn refuse_foreign(path: &Path) -> Result<(), OutboxError> {
    if in_file(path).or_else(|| in_log(&beside(path, "-wal"))) == Some(Owner::Another) {
        return Err(OutboxError::Unavailable("the file is another program's database".into()));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Us,
    Another,
}

/// `None` where the file does not say.
fn in_file(path: &Path) -> Option<Owner> {
    let mut page = [0; PAGE];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut page[..100]).ok()?;
    if has_other_pages(u32::from(u16::from_be_bytes([page[16], page[17]]))) && is_database(&page) {
        return Some(Owner::Another);
    }
    file.read_exact(&mut page[100..]).ok()?;
    owner(&page)
}

/// By the first page that the log has written.
fn in_log(log: &Path) -> Option<Owner> {
    let mut log = BufReader::new(File::open(log).ok()?);
    let mut header = [0; LOG_HEADER];
    log.read_exact(&mut header).ok()?;
    if has_other_pages(word_at(&header, 8)) {
        return Some(Owner::Another);
    }
    let (mut frame_header, mut page) = ([0; FRAME_HEADER], [0; PAGE]);
    loop {
        log.read_exact(&mut frame_header).ok()?;
        log.read_exact(&mut page).ok()?;
        if word_at(&frame_header, 0) == 1 {
            return owner(&page);
        }
    }
}

/// Of two sizes of a page no bit alone makes one of the other.
fn has_other_pages(bytes: u32) -> bool {
    bytes == 1 || (512..=65536).contains(&bytes) && bytes.is_power_of_two() && bytes as usize != PAGE
}

fn is_database(page: &[u8; PAGE]) -> bool {
    page.starts_with(b"SQLite format 3\0")
}

/// By a first page. What was just made has no tables, and no number of a program.
fn owner(page: &[u8; PAGE]) -> Option<Owner> {
    let has_tables = page[103..105] != [0, 0];
    let is_ours = i64::from(word_at(page, 68)) == APPLICATION
        || page.windows(OUR_TABLE.len()).any(|bytes| bytes == OUR_TABLE);
    match (is_database(page), is_ours, has_tables) {
        (false, ..) | (true, false, false) => None,
        (true, true, _) => Some(Owner::Us),
        (true, false, true) => Some(Owner::Another),
    }
}
