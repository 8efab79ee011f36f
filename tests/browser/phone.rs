//! A phone for the browser tests: the real outbox, with its buttons on standard input.
//!
//! `phone URL TOKEN REPORTER FILE`, then one word a line: `report LOCATION`, `cancel KEY REASON`, `online`,
//! `offline`, `loses-answers`, `sync`. Each line is answered with one line.

#[path = "../demo/network.rs"]
mod network;

use std::{error::Error, io::BufRead, path::Path};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Draft, EntryState, NextUpload, Options, Outbox};
use incident_server::Clock;

use crate::network::{Connectivity, Network, Way};

type Failure = Box<dyn Error + Send + Sync>;

struct Phone {
    outbox: Outbox,
    network: Network,
    clock: Clock,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, reporter, file] = &arguments[..] else {
        return Err("phone URL TOKEN REPORTER FILE".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let network = Network::new(runtime.handle().clone(), url, token.clone())?;
    let clock = Clock::system();
    let outbox =
        Outbox::open(Path::new(file), Reporter::parse(reporter)?, Options::default(), clock.now().unix_ms())?;
    let mut phone = Phone { outbox, network, clock };
    for line in std::io::stdin().lock().lines() {
        println!("{}", phone.press(&line?)?);
    }
    Ok(())
}

impl Phone {
    fn press(&mut self, line: &str) -> Result<String, Failure> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "report" => self.report(rest),
            "cancel" => self.cancel(rest),
            "sync" => self.sync(),
            "online" => Ok(self.go(Connectivity::Online)),
            "offline" => Ok(self.go(Connectivity::Offline)),
            "loses-answers" => Ok(self.go(Connectivity::LosesAnswers)),
            _ => Err(format!("there is no button {word}").into()),
        }
    }

    fn go(&mut self, connectivity: Connectivity) -> String {
        self.network.connectivity = connectivity;
        format!("{connectivity:?}")
    }

    fn report(&mut self, location: &str) -> Result<String, Failure> {
        let report = Draft::new(location, 12.4924, 41.8902);
        let now_ms = self.clock.now().unix_ms();
        Ok(self.outbox.report(&report, now_ms)?.key.to_string())
    }

    fn cancel(&mut self, key_and_reason: &str) -> Result<String, Failure> {
        let (key, reason) = key_and_reason.split_once(' ').ok_or("cancel KEY REASON")?;
        let now_ms = self.clock.now().unix_ms();
        Ok(self.outbox.cancel(key.parse()?, reason, now_ms)?.key.to_string())
    }

    /// Sends as its owner does who pulls down the list to refresh it: without waiting out a back-off.
    fn sync(&mut self) -> Result<String, Failure> {
        let now_ms = self.clock.now().unix_ms();
        for entry in self.outbox.entries(Some(EntryState::Pending), 1, None)? {
            self.outbox.retry(entry.key, now_ms)?;
        }
        let (mut sent, mut lost) = (0, 0);
        while let NextUpload::Send { upload } = self.outbox.next_upload(self.clock.now().unix_ms())? {
            let (way, result) = self.network.send(&upload);
            sent += usize::from(way != Way::NotThere);
            lost += usize::from(way == Way::AnswerLost);
            self.outbox.complete_upload(upload.id, &result, self.clock.now().unix_ms())?;
        }
        let summary = self.outbox.summary()?;
        Ok(format!("sent {sent} lost {lost} pending {} settled {}", summary.pending, summary.settled))
    }
}
