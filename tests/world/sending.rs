//! The way of an upload to the server, and of what comes of it to the phone.

use fastrand::Rng;
use incident_mobile_ffi::outbox::{NetworkFailureKind, NextUpload, Upload, UploadResult};

use crate::{
    Broken,
    answers::check,
    wire::{self, Fault, Flight},
    world::{World, note},
};

impl World {
    pub(crate) fn send(&mut self, rng: &mut Rng) -> Result<(), Broken> {
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
    pub(crate) fn arrive_later(&mut self, rng: &mut Rng) -> Result<(), Broken> {
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
}
