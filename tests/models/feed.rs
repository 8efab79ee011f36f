//! The feed of changes on PostgreSQL (`incident-server/src/store/postgres/feed.rs`): positions are given out before
//! commits, commits come in any order, and no reader skips a change.

use stateright::{Model, Property};

use crate::promise::{breaks, keeps};

/// So many writers and readers, and so many writers that may die.
const WRITERS: usize = 3;
const READERS: usize = 2;
const CRASHES: u8 = 1;
/// Rows of the history that each writer adds in its transaction.
const ROWS: [u8; WRITERS] = [1, 2, 1];

/// What may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    None,
    /// Readers stop before the oldest ticket.
    Horizon,
    /// The ticket is taken before the first position.
    TicketFirst,
    /// The newest position is read before the tickets are.
    NewestFirst,
    /// The ticket is held until the commit is visible.
    HeldToTheEnd,
}

struct Feed {
    without: Guard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Writer {
    Begins,
    /// It has read the last position that was given out.
    HasRead(u8),
    /// It holds a ticket of that name.
    HasTicket(u8),
    /// It was given positions, a set of bits.
    Writes {
        ticket: Option<u8>,
        rows: u16,
    },
    /// Its commit is visible, and its ticket not given back.
    IsVisible(Option<u8>),
    IsDone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Reader {
    cursor: u8,
    seen: u16,
    looks: Look,
}

/// How far a reader has come with its next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Look {
    Nothing,
    Newest(u8),
    Tickets(Option<u8>),
    Horizon(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    last: u8,
    visible: u16,
    writers: [Writer; WRITERS],
    readers: [Reader; READERS],
    crashes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Write(usize),
    Crash(usize),
    Read(usize),
}

impl State {
    fn oldest_ticket(&self) -> Option<u8> {
        let tickets = self.writers.iter().filter_map(|writer| match writer {
            Writer::HasTicket(ticket) => Some(*ticket),
            Writer::Writes { ticket, .. } | Writer::IsVisible(ticket) => *ticket,
            _ => None,
        });
        tickets.min()
    }

    fn give_out(&mut self, writer: usize) -> u16 {
        let first = self.last + 1;
        self.last += ROWS[writer];
        (first..=self.last).fold(0, |rows, position| rows | 1 << position)
    }

    fn write(&mut self, without: Guard, at: usize) {
        self.writers[at] = match self.writers[at] {
            Writer::Begins if without == Guard::TicketFirst => {
                Writer::Writes { ticket: None, rows: self.give_out(at) }
            }
            Writer::Begins => Writer::HasRead(self.last),
            Writer::HasRead(last) => Writer::HasTicket(last),
            Writer::HasTicket(ticket) => Writer::Writes { ticket: Some(ticket), rows: self.give_out(at) },
            Writer::Writes { ticket: None, rows } if without == Guard::TicketFirst => {
                // Too late: what it was given may have been looked for already.
                Writer::Writes { ticket: Some(self.last), rows }
            }
            Writer::Writes { ticket: Some(_), rows } if without == Guard::HeldToTheEnd => {
                Writer::Writes { ticket: None, rows }
            }
            Writer::Writes { ticket, rows } => {
                self.visible |= rows;
                Writer::IsVisible(ticket)
            }
            Writer::IsVisible(_) | Writer::IsDone => Writer::IsDone,
        };
    }

    fn read(&mut self, without: Guard, at: usize) {
        let tickets = self.oldest_ticket();
        let (last, visible) = (self.last, self.visible);
        let reader = &mut self.readers[at];
        reader.looks = match reader.looks {
            Look::Nothing if without == Guard::NewestFirst => Look::Tickets(tickets),
            Look::Nothing => Look::Newest(last),
            Look::Newest(newest) if without == Guard::Horizon => Look::Horizon(newest),
            Look::Newest(newest) => Look::Horizon(tickets.unwrap_or(newest).min(newest)),
            Look::Tickets(tickets) => Look::Horizon(tickets.unwrap_or(last).min(last)),
            Look::Horizon(settled) => {
                reader.take(visible, settled);
                Look::Nothing
            }
        };
    }
}

impl Reader {
    /// Reads what is visible behind the cursor, up to the horizon.
    fn take(&mut self, visible: u16, settled: u8) {
        for position in self.cursor + 1..=settled {
            if visible & 1 << position != 0 {
                self.seen |= 1 << position;
                self.cursor = position;
            }
        }
    }

    /// Whether it has gone past a change that it did not see.
    fn has_skipped(self, visible: u16) -> bool {
        let passed = (1_u16 << (self.cursor + 1)) - 1;
        visible & passed & !self.seen != 0
    }
}

impl Model for Feed {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let reader = Reader { cursor: 0, seen: 0, looks: Look::Nothing };
        let (writers, readers) = ([Writer::Begins; WRITERS], [reader; READERS]);
        vec![State { last: 0, visible: 0, writers, readers, crashes: CRASHES }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, writer) in state.writers.iter().enumerate() {
            if *writer != Writer::IsDone {
                actions.push(Action::Write(at));
                actions.extend((state.crashes > 0).then_some(Action::Crash(at)));
            }
        }
        actions.extend((0..READERS).map(Action::Read));
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Write(at) => state.write(self.without, at),
            // The database rolls back, and takes the ticket away.
            Action::Crash(at) => {
                state.crashes -= 1;
                state.writers[at] = Writer::IsDone;
            }
            Action::Read(at) => state.read(self.without, at),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no change is skipped", |_, state: &State| {
                state.readers.iter().all(|reader| !reader.has_skipped(state.visible))
            }),
            Property::sometimes("all is written and read", |_, state: &State| {
                let rows: u8 = ROWS.iter().sum();
                state.readers.iter().all(|reader| reader.seen.count_ones() == u32::from(rows))
            }),
        ]
    }
}

#[test]
fn no_reader_of_the_feed_skips_a_change_whatever_the_order_of_commits() {
    keeps("feed", Feed { without: Guard::None });
}

#[test]
fn without_any_one_of_its_guards_the_feed_skips_a_change() {
    let guards = [Guard::Horizon, Guard::TicketFirst, Guard::NewestFirst, Guard::HeldToTheEnd];
    breaks("feed", |without| Feed { without }, &guards.map(|guard| (guard, "no change is skipped")));
}
