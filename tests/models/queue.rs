//! The queue of requests before their commit (`incident-server/src/commit`): whatever the order of arrivals, commits and
//! answers, every answer is that of its request, nothing is answered before it is committed, nobody is forgotten and
//! nobody is passed over. `incident-server/tests/orders` runs the code itself through such orders.

use stateright::{Model, Property};

use crate::promise::{breaks, keeps};

/// The payloads of each request.
const REQUESTS: [&[Payload]; 4] = [&[0], &[1, 2], &[3], &[4, 5]];
const WORKERS: usize = 2;

type Payload = u8;

/// What may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    None,
    /// Verdicts are handed out in the order of the requests.
    Order,
    /// A request that has not got a verdict for each of its payloads is told that it failed.
    EachOfAll,
    /// The commit comes before the answer.
    CommitFirst,
    /// Who takes requests takes all that wait.
    TakeAll,
    /// A server that stops commits what it has accepted.
    Drain,
}

struct Queue {
    without: Guard,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Worker {
    Waits,
    /// It has taken these requests and asked the database.
    Commits(Vec<usize>),
    /// It was told these verdicts, which may be too few.
    Knows(Vec<usize>, Vec<Payload>),
    /// The wrong order: it has answered and not committed.
    Owes(Vec<Payload>),
    IsDone,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Request {
    Absent,
    /// It is in the queue, and so many times others were taken and it was not.
    Waits(u8),
    IsTaken,
    Answered(Option<Vec<Payload>>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    requests: [Request; REQUESTS.len()],
    queue: Vec<usize>,
    workers: [Worker; WORKERS],
    committed: Vec<Payload>,
    is_stopping: bool,
    has_crashed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Arrive(usize),
    Take(usize),
    /// So many of the payloads are committed, and the database says so; after fewer than all it is away.
    Commit(usize, usize),
    /// All is committed, and the database does not say so.
    CommitUntold(usize),
    Answer(usize),
    Stop,
    Crash,
}

fn payloads(requests: &[usize]) -> Vec<Payload> {
    requests.iter().flat_map(|request| REQUESTS[*request]).copied().collect()
}

impl State {
    fn take(&mut self, without: Guard, at: usize) -> Option<()> {
        let ends = self.is_stopping && (self.queue.is_empty() || without == Guard::Drain);
        if ends {
            self.workers[at] = Worker::IsDone;
            return Some(());
        }
        let many = if without == Guard::TakeAll { self.queue.len().min(1) } else { self.queue.len() };
        let taken: Vec<_> = self.queue.drain(..many).collect();
        for left in &self.queue {
            let Request::Waits(passed) = &mut self.requests[*left] else { return None };
            *passed += 1;
        }
        for request in &taken {
            self.requests[*request] = Request::IsTaken;
        }
        self.workers[at] = Worker::Commits((!taken.is_empty()).then_some(taken)?);
        Some(())
    }

    fn commit(&mut self, without: Guard, at: usize, many: usize, is_told: bool) -> Option<()> {
        let Worker::Commits(taken) = self.workers[at].clone() else { return None };
        let mut told = payloads(&taken);
        told.truncate(many);
        if without != Guard::CommitFirst {
            self.add(&told);
        }
        told.truncate(if is_told { many } else { 0 });
        self.workers[at] = Worker::Knows(taken, told);
        Some(())
    }

    fn add(&mut self, payloads: &[Payload]) {
        self.committed.extend(payloads);
        self.committed.sort_unstable();
    }

    fn answer(&mut self, without: Guard, at: usize) -> Option<()> {
        let (mut taken, told) = match self.workers[at].clone() {
            Worker::Knows(taken, told) => (taken, told),
            Worker::Owes(told) => {
                self.add(&told);
                self.workers[at] = Worker::Waits;
                return Some(());
            }
            _ => return None,
        };
        if without == Guard::Order {
            taken.reverse();
        }
        let mut verdicts = told.iter().copied();
        for request in taken {
            let all = REQUESTS[request].len();
            let own: Vec<_> = verdicts.by_ref().take(all).collect();
            let is_whole = own.len() == all || without == Guard::EachOfAll;
            self.requests[request] = Request::Answered(is_whole.then_some(own));
        }
        self.workers[at] = if without == Guard::CommitFirst { Worker::Owes(told) } else { Worker::Waits };
        Some(())
    }

    /// Requests that were told that all went well, with their verdicts.
    fn answers(&self) -> impl Iterator<Item = (usize, &Vec<Payload>)> {
        self.requests.iter().enumerate().filter_map(|(at, request)| match request {
            Request::Answered(Some(own)) => Some((at, own)),
            _ => None,
        })
    }

    fn has_ended(&self) -> bool {
        !self.has_crashed && self.workers.iter().all(|worker| *worker == Worker::IsDone)
    }
}

impl Model for Queue {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            requests: [const { Request::Absent }; REQUESTS.len()],
            queue: Vec::new(),
            workers: [const { Worker::Waits }; WORKERS],
            committed: Vec::new(),
            is_stopping: false,
            has_crashed: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.has_crashed {
            return;
        }
        let absent = |at: &usize| !state.is_stopping && state.requests[*at] == Request::Absent;
        actions.extend((0..REQUESTS.len()).filter(absent).map(Action::Arrive));
        for (at, worker) in state.workers.iter().enumerate() {
            match worker {
                Worker::Waits if state.is_stopping || !state.queue.is_empty() => {
                    actions.push(Action::Take(at));
                }
                Worker::Commits(taken) => {
                    actions.extend((0..=payloads(taken).len()).map(|many| Action::Commit(at, many)));
                    actions.push(Action::CommitUntold(at));
                }
                Worker::Knows(..) | Worker::Owes(_) => actions.push(Action::Answer(at)),
                Worker::Waits | Worker::IsDone => {}
            }
        }
        actions.extend((!state.is_stopping).then_some(Action::Stop));
        actions.push(Action::Crash);
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Arrive(request) => {
                state.requests[request] = Request::Waits(0);
                state.queue.push(request);
            }
            Action::Take(at) => state.take(self.without, at)?,
            Action::Commit(at, many) => state.commit(self.without, at, many, true)?,
            Action::CommitUntold(at) => state.commit(self.without, at, usize::MAX, false)?,
            Action::Answer(at) => state.answer(self.without, at)?,
            Action::Stop => state.is_stopping = true,
            Action::Crash => state.has_crashed = true,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("an answer is that of its request", |_, state: &State| {
                state.answers().all(|(request, own)| own == REQUESTS[request])
            }),
            Property::always("what was answered is committed", |_, state: &State| {
                state.answers().all(|(_, own)| own.iter().all(|payload| state.committed.contains(payload)))
            }),
            Property::always("nothing is committed twice", |_, state: &State| {
                state.committed.windows(2).all(|pair| pair[0] != pair[1])
            }),
            Property::always("nobody is passed over", |_, state: &State| {
                state.requests.iter().all(|request| !matches!(request, Request::Waits(1..)))
            }),
            Property::always("nobody is forgotten", |_, state: &State| {
                let waits = |request: &Request| matches!(request, Request::Waits(_) | Request::IsTaken);
                !state.has_ended() || !state.requests.iter().any(waits)
            }),
            Property::sometimes("all are answered", |_, state: &State| {
                state.has_ended() && state.answers().count() == REQUESTS.len()
            }),
        ]
    }
}

#[test]
fn every_request_has_its_own_answer_after_its_commit_and_with_the_next_transaction() {
    keeps("queue", Queue { without: Guard::None });
}

#[test]
fn without_any_one_of_its_guards_a_request_has_no_answer_or_a_wrong_one() {
    let guards = [
        (Guard::Order, "an answer is that of its request"),
        (Guard::EachOfAll, "an answer is that of its request"),
        (Guard::CommitFirst, "what was answered is committed"),
        (Guard::TakeAll, "nobody is passed over"),
        (Guard::Drain, "nobody is forgotten"),
    ];
    breaks("queue", |without| Queue { without }, &guards);
}
