//! What a power cut takes back of a file: page by page, as the kernel knows them.
//!
//! A sync that fails makes nothing durable, and its pages count as clean from then on: they can be read as they were written, and
//! no later sync writes them. Only what is written anew comes to the disk with the next sync.

use std::{collections::BTreeMap, fs, mem};

/// The kernel's.
const PAGE: u64 = 4096;

/// What nobody wrote. No zeros: on connections that were put aside a log's salts may be zeros, too, and what is not written would be
/// taken for its frames.
const NOBODYS: u8 = 0xa5;

/// What became of a file since it was synced last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unsynced {
    /// How long it was then.
    length: u64,
    /// Pages that were written or cut off since, and those that no sync will write.
    pages: BTreeMap<u64, Page>,
}

#[derive(Debug, Clone, Default)]
struct Page {
    /// What is on the disk; behind it is what nobody wrote.
    on_disk: Vec<u8>,
    /// Whether the sync failed that was to write it.
    is_lost: bool,
}

impl Unsynced {
    /// Of a file that was synced when it had this length.
    pub(crate) fn none(length: u64) -> Self {
        Self { length, pages: BTreeMap::new() }
    }

    /// Called before a part of the file is overwritten or cut off: keeps what was synced.
    pub(crate) fn touch(&mut self, file: &fs::File, found: u64, at: u64, end: u64) {
        let pages = at / PAGE..end.div_ceil(PAGE);
        for (_, page) in self.pages.range_mut(pages.clone()) {
            page.is_lost = false;
        }
        let synced = pages.end.saturating_mul(PAGE).min(self.length).min(found);
        for number in pages.start..pages.end.min(synced.div_ceil(PAGE)) {
            self.pages.entry(number).or_insert_with(|| {
                let length = PAGE.min(synced - number * PAGE);
                let mut on_disk = vec![0; usize::try_from(length).unwrap_or(0)];
                // Not by the C library, whose reading may fail here.
                let read = rustix::io::pread(file, &mut on_disk, number * PAGE);
                assert_eq!(read, Ok(on_disk.len()), "what is in memory can be read");
                Page { on_disk, is_lost: false }
            });
        }
    }

    /// All that was written is on the disk, but for what was lost before.
    pub(crate) fn sync(&mut self, length: u64) {
        self.length = length;
        if !self.pages.is_empty() {
            self.pages.retain(|number, page| page.is_lost && number * PAGE < length);
        }
    }

    /// Nothing that was written is on the disk, and nothing of it will be.
    pub(crate) fn fail_to_sync(&mut self, length: u64) {
        for number in self.length.div_ceil(PAGE)..length.div_ceil(PAGE) {
            self.pages.entry(number).or_default();
        }
        self.pages.values_mut().for_each(|page| page.is_lost = true);
    }

    /// What the file holds after a power cut, in which all this ends.
    pub(crate) fn cut(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let size = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        bytes.resize(size(self.length), 0);
        for (number, page) in mem::take(&mut self.pages) {
            let bytes = bytes.get_mut(size(number * PAGE)..).unwrap_or_default();
            let length = bytes.len().min(size(PAGE));
            let (own, behind) = bytes[..length].split_at_mut(length.min(page.on_disk.len()));
            own.copy_from_slice(&page.on_disk[..own.len()]);
            behind.fill(NOBODYS);
        }
        bytes
    }
}
