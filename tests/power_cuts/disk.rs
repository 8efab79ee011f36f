//! The disk as it stands at a moment: what a power cut cannot take any more, and what it may.

use std::collections::BTreeMap;

use crate::{
    plan::{Plan, Side},
    record::{Event, Files},
};

/// Behind the head an index of a log is empty: its pages come to the disk one by one, if at all.
const INDEX_BYTES: usize = 32 * 1024;

/// What is synced, and what was done since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk<'life> {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, usize>,
    /// In order.
    pub(crate) pending: Vec<&'life Event>,
    /// The index of each log, as it was at the last sync.
    indexes: BTreeMap<&'life str, &'life [u8]>,
}

impl<'life> Disk<'life> {
    pub(crate) fn new(base: &Files) -> Self {
        let names = base.keys().enumerate().map(|(number, name)| (name.clone(), number)).collect();
        Self { files: base.values().cloned().collect(), names, ..Self::default() }
    }

    /// Goes on behind an event.
    pub(crate) fn pass(&mut self, event: &'life Event) {
        match event {
            Event::Sync { file: synced } => self.keep(|event| match event {
                Event::Write { file, .. } | Event::Resize { file, .. } => file == synced,
                _ => false,
            }),
            Event::SyncFolder => self.keep(|event| {
                matches!(event, Event::Link { .. } | Event::Rename { .. } | Event::Unlink { .. })
            }),
            Event::Index { name, bytes } => drop(self.indexes.insert(name, bytes)),
            Event::Returned(_) | Event::Acknowledged(_) => {}
            _ => self.pending.push(event),
        }
    }

    /// From now on these are not pending any more.
    fn keep(&mut self, is_synced: impl Fn(&Event) -> bool) {
        let (synced, pending) = self.pending.iter().partition(|event| is_synced(event));
        self.pending = pending;
        let synced: Vec<&Event> = synced;
        for event in synced {
            apply(&mut self.files, event, None);
            rename(&mut self.names, event);
        }
    }

    /// Everything, as it is without a power cut.
    pub(crate) fn all(&self) -> Files {
        self.image(&Plan::prefix(self.pending.len(), self.pending.len()))
    }

    /// What a power cut leaves.
    pub(crate) fn image(&self, plan: &Plan) -> Files {
        let mut names = self.names.clone();
        let kept =
            self.pending.iter().zip(&plan.kept).filter_map(|(event, is_kept)| is_kept.then_some(event));
        kept.for_each(|event| rename(&mut names, event));
        let mut contents: BTreeMap<usize, Vec<u8>> =
            names.values().map(|file| (*file, self.files.get(*file).cloned().unwrap_or_default())).collect();
        for (at, event) in self.pending.iter().enumerate() {
            let torn = plan.torn.filter(|torn| torn.at == at).map(|torn| (torn.cut, torn.side));
            let (Event::Write { file, .. } | Event::Resize { file, .. }) = event else { continue };
            match contents.get_mut(file) {
                Some(bytes) if plan.kept.get(at) == Some(&true) => change(bytes, event, torn),
                Some(bytes) if plan.is_grown => grow(bytes, event),
                _ => {}
            }
        }
        let content = |(name, file)| (name, contents.get(&file).cloned().unwrap_or_default());
        let mut files: Files = names.into_iter().map(content).collect();
        if plan.has_index {
            files.extend(self.indexes.iter().map(|(name, head)| ((*name).to_owned(), index(head))));
        }
        files
    }
}

/// An index of a log, of which the head is known.
fn index(head: &[u8]) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.resize(INDEX_BYTES, 0);
    bytes
}

fn rename(names: &mut BTreeMap<String, usize>, event: &Event) {
    match event {
        Event::Link { name, file } => drop(names.insert(name.clone(), *file)),
        Event::Rename { from, to, file } => {
            // The name before may never have come to the disk.
            if names.get(from) == Some(file) {
                names.remove(from);
            }
            names.insert(to.clone(), *file);
        }
        Event::Unlink { name } => drop(names.remove(name)),
        _ => {}
    }
}

/// There is room for a file of this number.
fn reserve(files: &mut Vec<Vec<u8>>, event: &Event) {
    if let Event::Link { file, .. } | Event::Write { file, .. } | Event::Resize { file, .. } = event
        && *file >= files.len()
    {
        files.resize(file + 1, Vec::new());
    }
}

fn apply(files: &mut Vec<Vec<u8>>, event: &Event, torn: Option<(usize, Side)>) {
    reserve(files, event);
    if let Event::Write { file, .. } | Event::Resize { file, .. } = event
        && let Some(bytes) = files.get_mut(*file)
    {
        change(bytes, event, torn);
    }
}

/// Does to a file what was done to it, or a part of it.
fn change(image: &mut Vec<u8>, event: &Event, torn: Option<(usize, Side)>) {
    match event {
        Event::Write { at, bytes, .. } => {
            let (from, to) = match torn {
                Some((cut, Side::Before)) => (0, cut),
                Some((cut, Side::Behind)) => (cut, bytes.len()),
                None => (0, bytes.len()),
            };
            let at = usize::try_from(*at).unwrap_or(usize::MAX);
            if image.len() < at + to {
                image.resize(at + to, 0);
            }
            image[at + from..at + to].copy_from_slice(&bytes[from..to]);
        }
        Event::Resize { size, .. } => image.resize(usize::try_from(*size).unwrap_or(usize::MAX), 0),
        _ => {}
    }
}

/// The file is as long as if it had been written, and zeros stand there.
fn grow(image: &mut Vec<u8>, event: &Event) {
    if let Event::Write { at, bytes, .. } = event {
        let end = usize::try_from(*at).unwrap_or(usize::MAX) + bytes.len();
        if image.len() < end {
            image.resize(end, 0);
        }
    }
}
