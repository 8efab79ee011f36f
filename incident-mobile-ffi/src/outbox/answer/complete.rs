//! What came of an upload takes effect: every entry of it gets its due, in one transaction.

use super::{
    super::{
        change::Change,
        entry::PENDING,
        error::OutboxError,
        file::erase,
        queue::Outbox,
        upload::{
            pace::{Asked, Pace},
            protocol::{Progress, UploadResult},
        },
    },
    consequences::{Consequences, read},
    effects::Effects,
    read::Consequence,
};

/// The number of no upload: an app that was interrupted while it asked for one may not know which it was given.
const UNKNOWN: i64 = 0;

impl Outbox {
    /// Takes what came of the upload `id`. One that is no longer under way changes nothing, but for
    /// [`UploadResult::Cancelled`], by which an app says that it stops: another process may send at once. With 0, which
    /// is no upload's number, that hands back whichever is under way.
    ///
    /// # Errors
    /// Those of the file; then the entries are pending as before, and a repeat does no harm.
    pub fn complete_upload(
        &mut self,
        id: i64,
        result: &UploadResult,
        now_ms: i64,
    ) -> Result<Progress, OutboxError> {
        self.repairing(|outbox| outbox.complete(id, result, now_ms))
    }

    fn complete(&mut self, id: i64, result: &UploadResult, now_ms: i64) -> Result<Progress, OutboxError> {
        let mut progress = Progress::default();
        let is_any = id == UNKNOWN && *result == UploadResult::Cancelled;
        if let Some(flight) = self.in_flight.take_if(|flight| is_any || flight.id == id) {
            let sent = flight.items.len();
            let is_named = flight.items.iter().any(|item| !item.anonymous);
            let consequences = read(flight.items, result);
            let asked = match result {
                UploadResult::Response { headers, .. } => Asked::read(headers, consequences.ours, now_ms),
                _ => None,
            };
            self.adapt(&consequences, sent);
            progress = self.apply(consequences, asked, is_named, now_ms)?;
            if !is_named && progress.settled > 0 {
                self.file.compact()?; // nobody may ask again before the device is looked through
            }
        }
        if *result == UploadResult::Cancelled && self.in_flight.is_none() {
            self.rest()?;
        }
        progress.pending = self.count(PENDING)?;
        Ok(progress)
    }

    /// What an answer teaches about the token and about the size of uploads.
    fn adapt(&mut self, consequences: &Consequences, sent: usize) {
        let sign_in = consequences.all().find_map(Consequence::sign_in);
        self.sign_in = self.sign_in.or(sign_in);
        self.went_well = consequences.all().any(Consequence::is_success);
        match &consequences.whole {
            Some(Consequence::TooLarge { .. }) => self.batch_size.was_too_much(sent),
            _ if consequences.too_slow => self.batch_size.was_too_much(sent),
            // So that each entry is judged alone in the end.
            Some(Consequence::Quarantine(_) | Consequence::Wait { strike: true, .. }) => {
                self.batch_size.take_apart(sent);
            }
            _ if self.went_well => self.batch_size.grow(),
            _ => {}
        }
    }

    fn apply(
        &mut self,
        consequences: Consequences,
        asked: Option<Asked>,
        is_named: bool,
        now_ms: i64,
    ) -> Result<Progress, OutboxError> {
        let (reporter, rng) = (self.reporter.as_str(), &mut self.rng);
        let (limits, spacing) = (self.limits, self.spacing);
        self.file.write(Change::Answer, |transaction| {
            let mut effects = Effects { transaction, pace: Pace::load(transaction, reporter)?, rng, now_ms };
            let progress = effects.decide(consequences, asked)?;
            effects.pace.save(transaction, reporter)?;
            if is_named {
                spacing.begin(transaction, effects.rng, now_ms)?;
            }
            if progress.settled > 0 {
                erase::settled(transaction, reporter, limits, now_ms)?;
            }
            Ok(progress)
        })
    }
}
