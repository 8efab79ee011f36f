//! What may happen next.

use axum::body::Body;
use fastrand::Rng;
use incident_core::IncidentId;
use incident_mobile_ffi::outbox::{NetworkFailureKind, NextUpload, Outbox, Upload, UploadResult};

use crate::{
    Broken,
    answers::check,
    disk::{End, image},
    failing::{self, Failure},
    gate::Condition,
    people::{NAMES, Token},
    server::{request, token},
    wire::{self, Fault, Flight},
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

    fn send(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some(process) = self.any_process(rng)? else { return Ok(()) };
        let now_ms = self.now_of(process);
        let next = self.processes[process].call(|outbox| outbox.next_upload(now_ms));
        match self.survived(process, next)? {
            Some(NextUpload::Send { upload }) => self.fly(process, upload, rng),
            Some(NextUpload::Wait { until, why, .. }) => {
                note!(self, "process {process} waits: {why:?}");
                if rng.bool() {
                    self.pass((until.0 - now_ms).clamp(0, 3_600_000));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An upload is on its way.
    fn fly(&mut self, process: usize, upload: Upload, rng: &mut Rng) -> Result<(), Broken> {
        let fault = Fault::choose(rng);
        let (opening, person) = (self.processes[process].opening, self.processes[process].person);
        note!(self, "process {process} sends {}: {fault:?}", String::from_utf8_lossy(&upload.body));
        let token = self.tokens[person].text(person, self.setup.secret, self.time.at_the_server());
        match fault {
            Fault::RequestLost => {
                let result = wire::any_failure(rng);
                self.complete(process, opening, upload.id, &result)
            }
            Fault::Portal => {
                let result = wire::portal(rng);
                self.complete(process, opening, upload.id, &result)
            }
            Fault::Abandoned => Ok(()),
            Fault::RequestLate => {
                let id = upload.id;
                self.late.push((upload, token));
                self.complete(process, opening, id, &wire::failure(NetworkFailureKind::TimedOut, true))
            }
            Fault::Arrives | Fault::Doubled | Fault::RequestCut => {
                let pending = self.server.as_mut().map(|server| {
                    let one = server.ask(wire::of(&upload, token.as_deref(), fault == Fault::RequestCut));
                    let is_doubled = fault == Fault::Doubled;
                    let two = is_doubled.then(|| server.ask(wire::of(&upload, token.as_deref(), false)));
                    two.filter(|_| rng.bool()).unwrap_or(one)
                });
                self.flights.push(Flight { process, opening, upload, pending });
                if rng.u8(..4) == 0 { Ok(()) } else { self.land(self.flights.len() - 1, rng) }
            }
        }
    }

    /// What comes of an upload reaches the phone, more or less.
    fn land(&mut self, flight: usize, rng: &mut Rng) -> Result<(), Broken> {
        let Flight { process, opening, upload, pending } = self.flights.swap_remove(flight);
        let answer = match pending {
            Some(pending) => self.answer_to(pending, rng)?,
            None => None,
        };
        let Some(answer) = answer else {
            return self.complete(
                process,
                opening,
                upload.id,
                &wire::failure(NetworkFailureKind::Other, true),
            );
        };
        note!(self, "answered {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        check(&upload, &answer)?;
        let result = match rng.u8(..16) {
            0 => wire::failure(NetworkFailureKind::TimedOut, true),
            1 => wire::cut(&answer, rng),
            2 if !self.answers.is_empty() => wire::result(&self.answers[rng.usize(..self.answers.len())]),
            3 => UploadResult::Cancelled,
            _ => wire::result(&answer),
        };
        self.answers.push(answer);
        if rng.u8(..8) == 0 {
            self.complete(process, opening, upload.id, &result)?;
        }
        self.complete(process, opening, upload.id, &result)
    }

    /// The outbox that sent it is told; a later one of the same process is sometimes told, too.
    pub(crate) fn complete(
        &mut self,
        process: usize,
        opening: u64,
        id: i64,
        result: &UploadResult,
    ) -> Result<(), Broken> {
        if !self.processes[process].is_open() || self.processes[process].opening < opening {
            return Ok(());
        }
        let now_ms = self.now_of(process);
        let progress = self.processes[process].call(|outbox| outbox.complete_upload(id, result, now_ms));
        if let Some(progress) = self.survived(process, progress)? {
            note!(self, "process {process}: {progress:?}");
        }
        Ok(())
    }

    /// What was under way for long arrives.
    fn arrive_later(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        if !self.flights.is_empty() {
            return self.land(rng.usize(..self.flights.len()), rng);
        }
        if !self.late.is_empty()
            && let Some(server) = &mut self.server
        {
            let (upload, token) = self.late.swap_remove(rng.usize(..self.late.len()));
            let pending = server.ask(wire::of(&upload, token.as_deref(), false));
            if rng.bool() {
                let answer = self.answer_to(pending, rng)?;
                answer.map_or(Ok(()), |answer| check(&upload, &answer))?;
            }
        }
        Ok(())
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
            1 => {
                let (from, to) = (self.devices[device].file.clone(), self.devices[device].next_file());
                image(&from, &to, end(rng)).map_err(|error| error.to_string())?;
                self.device_died(device)
            }
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
