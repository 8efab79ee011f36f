//! What was done to the files of a folder, in order.

use std::{collections::BTreeMap, fmt};

/// Files by their names, as a power cut leaves them.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What is known of each report, by its name: whatever may be told apart.
pub(crate) type State = BTreeMap<String, String>;

/// One thing that was done. Files have numbers, for a name may lead to another one later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A new file has this name.
    Link {
        name: String,
        file: usize,
    },
    Rename {
        from: String,
        to: String,
        file: usize,
    },
    Unlink {
        name: String,
    },
    SyncFolder,
    Write {
        file: usize,
        at: u64,
        bytes: Vec<u8>,
    },
    Resize {
        file: usize,
        size: u64,
    },
    Sync {
        file: usize,
    },
    /// How SQLite's index of its log stands, which is in memory alone but for what the kernel writes of it on its own.
    Index {
        name: String,
        bytes: Vec<u8>,
    },
    /// The call of this number has returned.
    Returned(usize),
    /// The report of this name was acknowledged, in the midst of a call.
    Acknowledged(String),
}

/// What the files were through, from an opening to a power cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life {
    /// What was on the disk in the beginning.
    pub(crate) base: Files,
    pub(crate) events: Vec<Event>,
    /// What was known before the first call, after the first call, and so on.
    pub(crate) states: Vec<State>,
    /// Before this call has returned nothing is cut.
    pub(crate) first_call: usize,
    /// When it ended.
    pub(crate) now_ms: i64,
}

impl Event {
    /// Whether a power cut just before it finds more on the disk than one just after the sync before it.
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Self::SyncFolder | Self::Sync { .. })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { file, at, bytes } => write!(f, "file {file}: {} bytes at {at}", bytes.len()),
            Self::Resize { file, size } => write!(f, "file {file}: {size} bytes long"),
            Self::Index { name, .. } => write!(f, "{name}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// What may be there after a power cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected<'life> {
    /// As it was when the last call returned, and as it is when the next one does.
    pub(crate) either: [Option<&'life State>; 2],
    /// What was acknowledged since.
    pub(crate) acknowledged: Vec<&'life str>,
    calls: usize,
}

impl<'life> Expected<'life> {
    pub(crate) fn new(life: &'life Life) -> Self {
        Self { either: [life.states.first(), life.states.get(1)], acknowledged: Vec::new(), calls: 0 }
    }

    /// Goes on behind an event.
    pub(crate) fn pass(&mut self, life: &'life Life, event: &'life Event) {
        match event {
            Event::Returned(call) => {
                self.either = [life.states.get(*call), life.states.get(call + 1)];
                self.acknowledged.clear();
                self.calls = *call;
            }
            Event::Acknowledged(name) => self.acknowledged.push(name),
            _ => {}
        }
    }

    /// How many calls have returned.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// Says how many came back that may.
    ///
    /// # Errors
    /// What is lost, came back, or was never given.
    pub(crate) fn judge(
        &self,
        found: &State,
        may_come_back: impl Fn(&str, &str) -> bool,
    ) -> Result<u64, String> {
        let mut came_back = 0;
        let [before, after] = self.either;
        let names = before.into_iter().chain(after).chain([found]).flat_map(BTreeMap::keys);
        for name in names {
            let is_acknowledged = self.acknowledged.contains(&name.as_str());
            let may_be = [before.filter(|_| !is_acknowledged || after.is_none()), after];
            let there = found.get(name);
            let is_known = may_be.into_iter().flatten().any(|state| state.get(name) == there);
            let is_gone = may_be.into_iter().flatten().all(|state| !state.contains_key(name));
            if !is_known && is_gone && there.is_some_and(|text| may_come_back(name, text)) {
                came_back += 1;
            } else if !is_known {
                let [before, after] = [before, after].map(|state| state.and_then(|state| state.get(name)));
                return Err(format!("{name} is {there:?} and was {before:?}, then {after:?}"));
            }
        }
        Ok(came_back)
    }
}
