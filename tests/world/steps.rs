//! What may happen next.

use axum::body::Body;
use fastrand::Rng;
use incident_core::IncidentId;
use incident_mobile_ffi::outbox::Outbox;

use crate::{
    Broken,
    disk::End,
    failing::{self, Failure},
    gate::Condition,
    people::{NAMES, Token},
    server::{request, token},
    world::{World, note},
};

type Step = fn(&mut World, &mut Rng) -> Result<(), Broken>;

/// Each with its weight.
const STEPS: [(u32, Step); 17] = [
    (22, World::report),
    (9, World::call_off),
    (5, World::look_after_an_entry),
    (4, World::look_after_all),
    (24, World::send),
    (6, World::arrive_later),
    (8, World::let_time_pass),
    (2, World::set_clocks),
    (3, World::end_or_start_the_server),
    (1, World::restart_the_server),
    (4, World::end_a_phone),
    (2, World::sign_in),
    (3, World::erase),
    (4, World::read),
    (3, World::change_the_database),
    (2, World::fill_a_phone),
    (4, World::spoil_the_servers_disk),
];

/// One step, as chance wants it.
pub(crate) fn take(world: &mut World, rng: &mut Rng) -> Result<(), Broken> {
    let all: u32 = STEPS.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.u32(..all);
    for (weight, step) in STEPS {
        if left < weight {
            return step(world, rng);
        }
        left -= weight;
    }
    Ok(())
}

/// Which disk fails before a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoilt {
    None,
    Phone,
    PhoneInReading,
    ServerInReading,
}

impl Spoilt {
    fn choose(rng: &mut Rng) -> Self {
        match rng.u8(..128) {
            0..4 => Self::Phone,
            4 => Self::PhoneInReading,
            5 => Self::ServerInReading,
            _ => Self::None,
        }
    }
}

/// Whether a disk fails in reading before a step that has this chance.
pub(crate) fn fails_in_reading(rng: &mut Rng) -> bool {
    matches!(Spoilt::choose(rng), Spoilt::PhoneInReading | Spoilt::ServerInReading)
}

/// Now and then a phone's disk fails from some call on, in the midst of whatever is done then, or that of the server in reading; or it is
/// well again.
pub(crate) fn spoil_a_disk(world: &mut World, rng: &mut Rng) {
    let spoilt = Spoilt::choose(rng);
    let phone = &world.devices[rng.usize(..world.devices.len())].file;
    let (file, failure) = match spoilt {
        Spoilt::None => return,
        Spoilt::Phone => (phone, Failure::choose(rng)),
        Spoilt::PhoneInReading => (phone, Failure::choose_in_reading(rng)),
        Spoilt::ServerInReading => (&world.server_file, Failure::choose_in_reading(rng)),
    };
    let failure = (!failing::fails(file)).then_some(failure);
    failing::set(file, failure);
    note!(world, "the disk of {}: {failure:?}", file.file_name().unwrap_or_default().display());
}

fn end(rng: &mut Rng) -> End {
    if rng.bool() { End::Killed } else { End::PowerCut }
}

#[expect(clippy::unnecessary_wraps, reason = "all steps have one form")]
impl World {
    /// A process that is there; one that was never there begins.
    pub(crate) fn any_process(&mut self, rng: &mut Rng) -> Result<Option<usize>, Broken> {
        let process = rng.usize(..self.processes.len());
        if !self.processes[process].is_open() {
            self.open(process)?;
        }
        Ok(self.processes[process].is_open().then_some(process))
    }

    fn let_time_pass(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let longest = [5, 20_000, 20_000, 20 * 60_000, 3 * 86_400_000];
        let longest_ms = longest[rng.usize(..longest.len())];
        self.pass(rng.i64(0..longest_ms));
        Ok(())
    }

    fn set_clocks(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let errors =
            [0, 0, 1, -1, 60_000, -60_000, 7_200_000, -7_200_000, 200 * 86_400_000, -200 * 86_400_000];
        let error_ms = errors[rng.usize(..errors.len())];
        if rng.u8(..4) == 0 {
            self.time.set_server_error(error_ms);
        } else {
            let device = rng.usize(..self.devices.len());
            self.devices[device].error_ms = error_ms;
        }
        Ok(())
    }

    fn end_or_start_the_server(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        if self.server.is_some() {
            self.end_server(rng.usize(..6), end(rng))?;
            if rng.u8(..3) == 0 {
                return Ok(());
            }
        }
        self.start_server()
    }

    /// With other secrets for tokens, and a full rate.
    fn restart_the_server(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        self.stop_server();
        self.setup.secret = (self.setup.secret + rng.u8(..2)).min(6);
        self.start_server()
    }

    fn end_a_phone(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some(process) = self.any_process(rng)? else { return Ok(()) };
        let device = self.processes[process].device;
        match rng.u8(..4) {
            0 => {
                self.processes[process].close();
                self.open(process)
            }
            1 => self.end_device(device, end(rng)),
            _ => {
                self.processes[process].arm(rng.u32(..6), end(rng));
                Ok(())
            }
        }
    }

    /// Its disk is full, or has room again.
    fn fill_a_phone(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let device = rng.usize(..self.devices.len());
        let is_full = rng.bool();
        note!(self, "the disk of device {device}: {}", if is_full { "full" } else { "room" });
        self.devices[device].set_full(is_full);
        Ok(())
    }

    /// Somebody has another token; whether it is a good one shows later.
    fn sign_in(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let person = rng.usize(..NAMES.len());
        let tokens = [
            Token::Good,
            Token::Good,
            Token::Good,
            Token::None,
            Token::Expired,
            Token::UnknownKey,
            Token::Foreign,
        ];
        self.tokens[person] = tokens[rng.usize(..tokens.len())];
        for process in
            self.processes.iter_mut().filter(|process| process.person == person && process.is_open())
        {
            let _ = process.call(Outbox::token_changed);
        }
        Ok(())
    }

    fn erase(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let ids: Vec<IncidentId> = self.database.oracle().stored.keys().copied().collect();
        let path = if rng.u8(..4) == 0 || ids.is_empty() {
            format!("/api/incidents?reporter={}", NAMES[rng.usize(..NAMES.len())])
        } else {
            format!("/api/incidents/{}", ids[rng.usize(..ids.len())])
        };
        let bearer = token("eraser", Some("incidents:erase"), self.setup.secret, self.time.at_the_server());
        let Some(server) = &mut self.server else { return Ok(()) };
        let pending = server.ask(request("DELETE", &path, Some(&bearer), Body::empty()));
        let Some(answer) = self.answer_to(pending, rng)? else { return Ok(()) };
        note!(self, "DELETE {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        if matches!(answer.status, 200 | 429 | 503) { Ok(()) } else { Err(format!("an erasure: {answer:?}")) }
    }

    fn change_the_database(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let conditions = [Condition::Well, Condition::Slow, Condition::Slow, Condition::Full];
        let condition = match self.database.gate.condition() {
            Condition::Well => conditions[rng.usize(..conditions.len())],
            Condition::Slow | Condition::Full => Condition::Well,
        };
        note!(self, "the database: {condition:?}");
        self.database.gate.set(condition);
        Ok(())
    }

    /// From some call on it fails, in the midst of whatever is done then; or it is well again.
    fn spoil_the_servers_disk(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let failure = Failure::choose(rng);
        let failure = (!failing::fails(&self.server_file)).then_some(failure);
        note!(self, "the disk of the server: {failure:?}");
        failing::set(&self.server_file, failure);
        Ok(())
    }
}
