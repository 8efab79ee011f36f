//! The lease of two processes that share an outbox (`incident-mobile-ffi/src/outbox/upload/lease.rs`): while one waits for
//! an answer, the other does not send. Clocks go forward here: after one was set back both may send, which costs a
//! request and no report.

use stateright::{Model, Property};

use crate::promise::{breaks, keeps};

/// As in `limits.rs`, in units of 45 s: how long a lease holds, and after how long an upload is given up at the latest.
const LEASE: u8 = 4;
const UPLOAD: u8 = 2;
/// When the clock stops.
const END: u8 = 9;

/// What may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    None,
    /// Whoever finds a lease of somebody who lives waits.
    Waiting,
    /// A lease is renewed while half of it is left, so that it outlives the next upload.
    Renewal,
    /// Nobody gives back what is another's.
    Owner,
}

struct Lease {
    without: Guard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Sender {
    /// Who it is: another after each start.
    name: u8,
    /// Until when it believes to hold the lease.
    until: u8,
    /// Until when it waits for an answer.
    waits_until: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    /// Its owner, and until when it holds.
    lease: Option<(u8, u8)>,
    senders: [Sender; 2],
    crashes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    /// The clock goes on.
    Tick,
    /// It asks what to send next.
    Next(usize),
    /// It is answered.
    Answer(usize),
    /// It has nothing more to send.
    Rest(usize),
    /// It dies and starts again.
    Crash(usize),
}

impl State {
    fn waits(&self, at: usize) -> bool {
        self.senders[at].waits_until.is_some_and(|until| self.now < until)
    }

    fn next(&mut self, without: Guard, at: usize) {
        let (now, sender) = (self.now, self.senders[at]);
        let enough = if without == Guard::Renewal { 1 } else { LEASE / 2 };
        let holds = sender.until.checked_sub(now).is_some_and(|left| left >= enough);
        if !holds {
            let lives = |name: u8| self.senders.iter().any(|sender| sender.name == name);
            let is_taken =
                self.lease.is_some_and(|(owner, until)| owner != sender.name && until > now && lives(owner));
            if is_taken && without != Guard::Waiting {
                return;
            }
            self.lease = Some((sender.name, now + LEASE));
            self.senders[at].until = now + LEASE;
        }
        self.senders[at].waits_until = Some(now + UPLOAD);
    }

    fn rest(&mut self, without: Guard, at: usize) {
        let name = self.senders[at].name;
        if self.senders[at].until != 0 {
            self.lease = self.lease.filter(|(owner, _)| *owner != name && without != Guard::Owner);
            self.senders[at].until = 0;
        }
    }
}

impl Model for Lease {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let sender = |name| Sender { name, ..Sender::default() };
        vec![State { now: 1, lease: None, senders: [sender(0), sender(1)], crashes: 2 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend((state.now < END).then_some(Action::Tick));
        for at in 0..2 {
            if state.waits(at) {
                actions.push(Action::Answer(at));
            } else {
                actions.extend([Action::Next(at), Action::Rest(at)]);
            }
            actions.extend((state.crashes > 0).then_some(Action::Crash(at)));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Next(at) => state.next(self.without, at),
            Action::Answer(at) => state.senders[at].waits_until = None,
            Action::Rest(at) => state.rest(self.without, at),
            Action::Crash(at) => {
                state.crashes -= 1;
                state.senders[at] = Sender { name: 2 + state.crashes, ..Sender::default() };
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one sends at a time", |_, state: &State| !(state.waits(0) && state.waits(1))),
            Property::sometimes("both have sent", |_, state: &State| {
                state.senders.iter().all(|sender| sender.waits_until.is_some())
            }),
        ]
    }
}

#[test]
fn of_two_processes_on_one_outbox_one_sends_at_a_time() {
    keeps("lease", Lease { without: Guard::None });
}

#[test]
fn without_any_one_of_its_guards_two_send_at_a_time() {
    let guards = [Guard::Waiting, Guard::Renewal, Guard::Owner];
    breaks("lease", |without| Lease { without }, &guards.map(|guard| (guard, "one sends at a time")));
}
