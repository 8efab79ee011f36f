//! The write-ahead log after an unclean end, read before SQLite opens the file.
//!
//! SQLite ends a log at its first bad checksum without a word, and deletes that of a file that it cannot read. A
//! frame of the current series behind a bad one means damage, not a torn end ("WAL File Format", section 4.1 at
//! sqlite.org/fileformat2.html).
//!
//! Where the last frame of all is bad, the log alone cannot tell damage from a write that a power cut tore. The index
//! beside it can ("WAL-Index Format", section 2.1 at sqlite.org/walformat.html): SQLite counts a frame there only when
//! it is durable. A process that is killed leaves the index behind; after a power cut, or on a copy without it, a bad
//! last frame counts as torn.

use std::{
    fs, io,
    io::{BufReader, Read},
    path::Path,
};

use super::{
    filesystem::{beside, size},
    format::{FRAME_HEADER, LOG_HEADER, PAGE, word_at},
};

/// Its last bit says in which byte order checksums are computed.
const MAGIC: u32 = 0x377f_0682;

/// Whether the log holds frames, and its file is missing or empty. SQLite deletes such a log unread.
pub(crate) fn is_alone(path: &Path) -> bool {
    size(path) == 0 && size(&beside(path, "-wal")) >= (LOG_HEADER + FRAME_HEADER + PAGE) as u64
}

/// Whether acknowledged changes may stand at or behind a damaged place of the log.
pub(crate) fn is_damaged(log: &Path, index: Option<&Path>) -> io::Result<bool> {
    let file = match fs::File::open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    if file.metadata()?.len() < (LOG_HEADER + FRAME_HEADER + PAGE) as u64 {
        return Ok(false);
    }
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut header = [0; LOG_HEADER];
    reader.read_exact(&mut header)?;
    let mut checksum = Checksum { sums: (0, 0), big_endian: word_at(&header, 0) & 1 == 1 };
    checksum.add(&header[..24]);
    if word_at(&header, 0) & !1 != MAGIC || !checksum.is(&header[24..]) {
        return Ok(true);
    }
    let mut frame = [0; FRAME_HEADER + PAGE];
    let (mut ended, mut good) = (false, 0);
    while read_whole(&mut reader, &mut frame)? {
        let is_current = frame[8..16] == header[16..24];
        if ended && is_current {
            return Ok(true);
        }
        checksum.add(&frame[..8]);
        checksum.add(&frame[FRAME_HEADER..]);
        ended |= !is_current || !checksum.is(&frame[16..24]);
        good += u32::from(!ended);
    }
    Ok(durable_frames(index, &header[16..24]).is_some_and(|durable| good < durable))
}

/// Whether the checksum of a frame goes on from that of the one before it, in the byte order of any machine.
pub(crate) fn is_whole(before: [u8; 8], frame: &[u8; FRAME_HEADER + PAGE]) -> bool {
    [false, true].into_iter().any(|big_endian| {
        let mut checksum = Checksum { sums: (word_at(&before, 0), word_at(&before, 4)), big_endian };
        checksum.add(&frame[..8]);
        checksum.add(&frame[FRAME_HEADER..]);
        checksum.is(&frame[16..24])
    })
}

/// How many frames of the series with this salt the index knows to be durable; `None` where there is no whole index
/// of it.
fn durable_frames(index: Option<&Path>, salt: &[u8]) -> Option<u32> {
    const COPY: usize = 48;
    let (mut first, mut second) = ([0; COPY], [0; COPY]);
    let mut index = fs::File::open(index?).ok()?;
    index.read_exact(&mut first).and_then(|()| index.read_exact(&mut second)).ok()?;
    let is_whole = first == second && first[12] == 1 && first[32..40] == *salt;
    // In the byte order of the machine.
    is_whole.then(|| u32::from_ne_bytes([first[16], first[17], first[18], first[19]]))
}

/// Reads a frame, if there is a whole one left.
fn read_whole(reader: &mut impl Read, frame: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(frame) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

struct Checksum {
    sums: (u32, u32),
    big_endian: bool,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.as_chunks::<8>().0 {
            self.sums.0 = self.sums.0.wrapping_add(self.word(&pair[..4])).wrapping_add(self.sums.1);
            self.sums.1 = self.sums.1.wrapping_add(self.word(&pair[4..])).wrapping_add(self.sums.0);
        }
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let value = word_at(bytes, 0);
        if self.big_endian { value } else { value.swap_bytes() }
    }

    fn is(&self, stored: &[u8]) -> bool {
        self.sums == (word_at(stored, 0), word_at(stored, 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk"))
        }
    }

    #[test]
    fn a_disk_that_fails_is_not_the_end_of_the_log() {
        let mut frame = [0; FRAME_HEADER + PAGE];
        assert!(read_whole(&mut Broken, &mut frame).is_err());
        assert!(!read_whole(&mut &frame[1..], &mut [0; FRAME_HEADER + PAGE]).unwrap());
        assert!(read_whole(&mut [0; FRAME_HEADER + PAGE].as_slice(), &mut frame).unwrap());
    }

    /// A log of one empty page, with checksums of this byte order.
    fn log(big_endian: bool) -> Vec<u8> {
        let mut log = vec![0; LOG_HEADER + FRAME_HEADER + PAGE];
        log[..4].copy_from_slice(&(MAGIC | u32::from(big_endian)).to_be_bytes());
        let mut checksum = Checksum { sums: (0, 0), big_endian };
        checksum.add(&log[..24]);
        log[24..28].copy_from_slice(&checksum.sums.0.to_be_bytes());
        log[28..32].copy_from_slice(&checksum.sums.1.to_be_bytes());
        log
    }

    #[test]
    fn the_head_of_a_log_is_judged_in_either_byte_order() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("log");
        for big_endian in [false, true] {
            let mut bytes = log(big_endian);
            fs::write(&file, &bytes).unwrap();
            assert!(!is_damaged(&file, None).unwrap(), "big endian: {big_endian}");
            bytes[16] ^= 4;
            fs::write(&file, &bytes).unwrap();
            assert!(is_damaged(&file, None).unwrap(), "big endian: {big_endian}");
        }
    }
}
