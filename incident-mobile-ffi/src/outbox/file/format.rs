//! What is read of SQLite's files without SQLite: sizes and numbers ("Database File Format", sections 1.3 and 4.1 at
//! sqlite.org/fileformat2.html).

/// Bytes of a page, as `schema.rs` asks for them.
pub(super) const PAGE: usize = 4096;
/// Bytes of the head of a log.
pub(super) const LOG_HEADER: usize = 32;
/// Bytes before each page of a log.
pub(super) const FRAME_HEADER: usize = 24;

/// The number in the four bytes from `at` on, the most significant first.
pub(super) fn word_at(bytes: &[u8], at: usize) -> u32 {
    bytes.iter().skip(at).take(4).fold(0, |value, byte| value << 8 | u32::from(*byte))
}
