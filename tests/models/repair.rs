//! Two processes on one outbox, of which either repairs (`incident-mobile-ffi/src/outbox/file/repair.rs`): whatever the
//! order, and whoever is killed, what was acknowledged stays where the next one who opens the outbox finds it.

use stateright::{Model, Property};

use crate::promise::{breaks, keeps};

/// Reports that are made, at most.
const REPORTS: u8 = 3;
/// The first file, and one for each repair or new file.
const FILES: usize = 6;

/// What may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    None,
    /// Who changes the file locks repairs out.
    Lock,
    /// Who changes the file looks whether it still is the one that the path leads to.
    Place,
    /// All is saved before the corrupt file is moved.
    SavedFirst,
    /// Who opens the outbox ends a repair that was killed.
    CutShort,
}

struct Repair {
    without: Guard,
}

/// Reports, a set of bits.
type Reports = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Process {
    Closed,
    Open(usize),
    /// It has locked repairs out and looked at the path.
    MayCommit(usize),
    /// Its commit of a report is durable and not acknowledged.
    HasCommitted(usize, Reports),
    FindsItCorrupt,
    /// It repairs; nobody else changes the file.
    IsAlone,
    HasSaved,
    HasMoved,
    /// The wrong order.
    HasMovedFirst(Reports),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    /// Which file the path leads to.
    path: Option<usize>,
    /// What is in each file.
    files: Vec<Reports>,
    is_corrupt: [bool; FILES],
    /// What is in the file that is to take the place of a corrupt one.
    saved: Option<Reports>,
    made: u8,
    acknowledged: Reports,
    processes: [Process; 2],
    crashes: u8,
    damages: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Step(usize),
    /// It reads a page that is damaged; with other pages it goes on as if nothing were.
    Notice(usize),
    /// It is killed.
    Crash(usize),
    /// The file turns out corrupt; its rows can be read.
    Damage,
}

impl Process {
    fn changes(self) -> bool {
        matches!(self, Self::MayCommit(_) | Self::HasCommitted(..))
    }

    fn repairs(self) -> bool {
        matches!(self, Self::IsAlone | Self::HasSaved | Self::HasMoved | Self::HasMovedFirst(_))
    }
}

impl State {
    fn make_file(&mut self, reports: Reports) -> usize {
        self.files.push(reports);
        self.path = Some(self.files.len() - 1);
        self.files.len() - 1
    }

    /// The next step of a process; where it has to wait, none.
    fn step(&mut self, without: Guard, at: usize) -> Option<()> {
        let other = self.processes[1 - at];
        let others_change = other.changes() && without != Guard::Lock;
        self.processes[at] = match self.processes[at] {
            Process::Closed if other.repairs() => return None,
            Process::Closed => self.open(without, others_change)?,
            Process::Open(_) if other.repairs() && without != Guard::Lock => return None,
            Process::Open(_) if self.made == REPORTS => return None,
            Process::Open(file) if self.path != Some(file) && without != Guard::Place => Process::Closed,
            Process::Open(file) => Process::MayCommit(file),
            Process::MayCommit(file) if self.made == REPORTS => Process::Open(file),
            Process::MayCommit(file) => {
                let report = 1 << self.made;
                self.made += 1;
                self.files[file] |= report;
                Process::HasCommitted(file, report)
            }
            Process::HasCommitted(file, report) => self.acknowledge(without, file, report),
            Process::FindsItCorrupt if other.repairs() || others_change => return None,
            Process::FindsItCorrupt if self.path.is_some_and(|file| self.is_corrupt[file]) => {
                Process::IsAlone
            }
            Process::FindsItCorrupt => Process::Closed,
            repairing => self.repair(without, repairing),
        };
        Some(())
    }

    fn open(&mut self, without: Guard, others_change: bool) -> Option<Process> {
        Some(match (self.path, self.saved) {
            (None, Some(_)) if without != Guard::CutShort && others_change => return None,
            (None, Some(saved)) if without != Guard::CutShort => {
                self.saved = None;
                Process::Open(self.make_file(saved))
            }
            (None, _) => Process::Open(self.make_file(0)),
            (Some(file), _) if self.is_corrupt[file] => Process::FindsItCorrupt,
            (Some(file), _) => {
                // What a repair that was killed had saved stands in this file, too.
                self.saved = None;
                Process::Open(file)
            }
        })
    }

    fn acknowledge(&mut self, without: Guard, file: usize, report: Reports) -> Process {
        if self.path != Some(file) && without != Guard::Place {
            return Process::Closed;
        }
        self.acknowledged |= report;
        Process::Open(file)
    }

    fn repair(&mut self, without: Guard, process: Process) -> Process {
        match process {
            Process::IsAlone => {
                let reports = self.path.map_or(0, |file| self.files[file]);
                if without == Guard::SavedFirst {
                    self.path = None;
                    return Process::HasMovedFirst(reports);
                }
                self.saved = Some(reports);
                Process::HasSaved
            }
            Process::HasMovedFirst(reports) => {
                self.saved = Some(reports);
                Process::HasMoved
            }
            Process::HasSaved => {
                self.path = None;
                Process::HasMoved
            }
            _ => {
                let saved = self.saved.take().unwrap_or_default();
                self.make_file(saved);
                Process::Closed
            }
        }
    }

    /// What the next one who opens the outbox finds.
    fn found(&self) -> Reports {
        self.path.map_or(self.saved.unwrap_or_default(), |file| self.files[file])
    }
}

impl Model for Repair {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            path: Some(0),
            files: vec![0],
            is_corrupt: [false; FILES],
            saved: None,
            made: 0,
            acknowledged: 0,
            processes: [Process::Closed; 2],
            crashes: 1,
            damages: 2,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..2 {
            actions.extend([Action::Step(at), Action::Notice(at)]);
            actions.extend((state.crashes > 0).then_some(Action::Crash(at)));
        }
        actions.extend((state.damages > 0 && state.path.is_some()).then_some(Action::Damage));
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Step(at) => state.step(self.without, at)?,
            Action::Notice(at) => match state.processes[at] {
                Process::Open(file) if state.is_corrupt[file] => {
                    state.processes[at] = Process::FindsItCorrupt;
                }
                _ => return None,
            },
            Action::Crash(at) => {
                state.crashes -= 1;
                state.processes[at] = Process::Closed;
            }
            Action::Damage => {
                state.damages -= 1;
                state.is_corrupt[state.path?] = true;
            }
        }
        Some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.files.len() <= FILES
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what was acknowledged is found", |_, state: &State| {
                state.acknowledged & !state.found() == 0
            }),
            Property::sometimes("all is reported, through two repairs", |_, state: &State| {
                state.acknowledged == (1 << REPORTS) - 1 && state.files.len() == 3
            }),
        ]
    }
}

#[test]
fn what_was_acknowledged_outlives_repairs_by_two_processes_and_a_kill() {
    keeps("repair", Repair { without: Guard::None });
}

#[test]
fn without_any_one_of_its_guards_a_repair_loses_a_report() {
    let guards = [Guard::Lock, Guard::Place, Guard::SavedFirst, Guard::CutShort];
    let guards = guards.map(|guard| (guard, "what was acknowledged is found"));
    breaks("repair", |without| Repair { without }, &guards);
}
