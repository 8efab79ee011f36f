//! The end of a history: fair weather until nobody has anything more to send.

use fastrand::Rng;
use incident_mobile_ffi::outbox::{Entry, EntryState, NextUpload, Outbox, Upload};

use crate::{
    Broken,
    answers::check,
    disk::End,
    failing,
    gate::Condition,
    people::{NAMES, Token},
    phone::Device,
    server::Server,
    wire,
    world::{World, note},
};

/// So many rounds are more than any queue needs.
const ROUNDS: usize = 2000;

impl World {
    /// All that is wrong comes to an end; then everything has to arrive.
    pub(crate) fn calm(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        note!(self, "the weather clears");
        self.database.gate.set(Condition::Well);
        failing::set(&self.server_file, None);
        self.time.set_server_error(0);
        self.tokens = [Token::Good; NAMES.len()];
        self.flights.clear();
        if self.setup.rate_limit != "off" || failing::is_given_up(&self.server_file) {
            self.setup.rate_limit = "off";
            self.stop_server();
        }
        if failing::failed(&self.server_file) > 0 && rng.u8(..4) == 0 {
            self.end_server(0, End::Killed)?;
        }
        if self.server.is_none() {
            self.start_server()?;
        }
        self.end_failing_devices(rng)?;
        let had_no_room: Vec<_> = self.devices.iter().map(Device::may_be_full).collect();
        for device in &mut self.devices {
            device.settings.max_pages = None;
            device.set_full(false);
        }
        for process in
            (0..self.processes.len()).filter(|at| self.processes[*at].has_begun()).collect::<Vec<_>>()
        {
            self.processes[process].calm();
            if had_no_room[self.processes[process].device] || !self.processes[process].is_open() {
                self.processes[process].close();
                self.open(process)?;
            } else if failing::is_given_up(&self.devices[self.processes[process].device].file) {
                // It is repaired now, and is to be asked again.
                let repaired = self.processes[process].call(Outbox::summary);
                self.survived(process, repaired)?;
            }
        }
        let behind = self.late.split_off(self.late.len() / 2);
        self.deliver_late(rng)?;
        self.drain(rng)?;
        self.late = behind;
        self.deliver_late(rng)?;
        if failing::failed(&self.server_file) > 0 {
            self.end_server(0, End::PowerCut)?;
            self.start_server()?;
        }
        self.server.iter().for_each(Server::settle_doubts);
        Ok(())
    }

    /// Disks are well again, and of some devices whose disk was not the power is cut.
    fn end_failing_devices(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        for device in 0..self.devices.len() {
            let file = self.devices[device].file.clone();
            failing::set(&file, None);
            if failing::failed(&file) > 0 && rng.bool() {
                self.end_device(device, End::PowerCut)?;
            }
        }
        Ok(())
    }

    /// Requests that were long under way arrive before the queue is idle, or long after.
    fn deliver_late(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        for (upload, token) in std::mem::take(&mut self.late) {
            let Some(server) = &mut self.server else { return Ok(()) };
            let pending = server.ask(wire::of(&upload, token.as_deref(), false));
            let answer = self.answer_to(pending, rng)?;
            answer.map_or(Ok(()), |answer| check(&upload, &answer))?;
        }
        Ok(())
    }

    /// What is in quarantine is tried again, too: in fair weather nothing stays there. A report that took the name of
    /// another takes the next one, which may be taken as well. Says whether there was any.
    pub(crate) fn try_all_again(&mut self, rng: &mut Rng) -> Result<bool, Broken> {
        for times in 0..=self.promises.len() + 1 {
            if self.in_quarantine()?.is_none() {
                return Ok(times > 0);
            }
            note!(self, "what is in quarantine is tried again");
            for process in self.open_processes() {
                let now_ms = self.now_of(process);
                let again = self.processes[process].call(|outbox| outbox.retry_all(None, now_ms));
                self.survived(process, again)?;
                self.learn_names(process)?;
            }
            self.drain(rng)?;
        }
        Err(format!("in fair weather it stays in quarantine: {:?}", self.in_quarantine()?))
    }

    fn in_quarantine(&mut self) -> Result<Option<Entry>, Broken> {
        for process in self.open_processes() {
            let left =
                self.processes[process].call(|outbox| outbox.entries(Some(EntryState::Quarantined), 1, None));
            let left = self.survived(process, left)?.and_then(|left| left.into_iter().next());
            if left.is_some() {
                return Ok(left);
            }
        }
        Ok(None)
    }

    /// All that is in the outboxes is sent; time passes where somebody has to wait.
    fn drain(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let mut left = self.open_processes();
        for _ in 0..ROUNDS {
            let mut waits = Vec::new();
            for process in left {
                waits.extend(self.send_all(process, rng)?.map(|ms| (ms, process)));
            }
            let Some((soonest_ms, _)) = waits.iter().min() else { return Ok(()) };
            self.pass((*soonest_ms).max(1));
            left = waits.into_iter().map(|(_, process)| process).collect();
        }
        Err("a queue never becomes idle".to_owned())
    }

    /// Sends what may be sent now; how long the next has to wait, if there is one.
    fn send_all(&mut self, process: usize, rng: &mut Rng) -> Result<Option<i64>, Broken> {
        for _ in 0..ROUNDS {
            let now_ms = self.now_of(process);
            let next = self.processes[process].call(|outbox| outbox.next_upload(now_ms));
            match self.survived(process, next)? {
                Some(NextUpload::Send { upload }) => self.exchange(process, &upload, rng)?,
                Some(NextUpload::Wait { until, .. }) => return Ok(Some(until.0 - now_ms)),
                Some(NextUpload::SignIn { why, .. }) => return Err(format!("with a good token: {why:?}")),
                Some(NextUpload::Idle) => return Ok(None),
                // Another process has repaired the file that both have open.
                None => note!(self, "process {process} is asked again"),
            }
        }
        Err("an outbox sends for ever".to_owned())
    }

    fn exchange(&mut self, process: usize, upload: &Upload, rng: &mut Rng) -> Result<(), Broken> {
        let person = self.processes[process].person;
        let token = Token::Good.text(person, self.setup.secret, self.time.at_the_server());
        let server = self.server.as_mut().ok_or("no server")?;
        let pending = server.ask(wire::of(upload, token.as_deref(), false));
        let answer = self.answer_to(pending, rng)?.ok_or("no answer in fair weather")?;
        check(upload, &answer)?;
        let opening = self.processes[process].opening;
        self.complete(process, opening, upload.id, &wire::result(&answer))
    }
}
