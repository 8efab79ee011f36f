//! Seeing that the queue has changed, by whatever process.
//!
//! Nobody is told anything: who watches looks, and a look that finds nothing new reads some bytes of shared memory. So
//! a writer is not held up by who watches, nor by who stopped to.

use super::{
    super::{error::OutboxError, file::database::FileMark, queue::Outbox},
    list::Summary,
};

/// What somebody who watches has seen last; nothing yet by default.
#[derive(Debug, Clone, Default)]
pub struct Seen(Option<Mark>);

/// It differs whenever an entry may look different.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    file: FileMark,
    /// What is under way is part of the picture, and stands in no file.
    upload: Option<i64>,
}

impl Outbox {
    /// The queue in numbers, if anything of it may have changed since what is in `seen`, which is then up to date.
    /// Any number of changes since are one. Two equal answers mean that something else of an entry changed, such as
    /// its reason.
    ///
    /// # Errors
    /// Those of the file. A repair is none, but a change like any other.
    pub fn changed(&mut self, seen: &mut Seen) -> Result<Option<Summary>, OutboxError> {
        match self.repairing(|outbox| outbox.look(seen)) {
            Err(OutboxError::Corrupt) => self.repairing(|outbox| outbox.look(seen)),
            looked => looked,
        }
    }

    fn look(&self, seen: &mut Seen) -> Result<Option<Summary>, OutboxError> {
        // Before the counts: a change in between is seen once more the next time.
        let mark = Mark { file: self.file.mark()?, upload: self.in_flight.as_ref().map(|flight| flight.id) };
        if seen.0.as_ref() == Some(&mark) {
            return Ok(None);
        }
        let summary = self.count_all()?;
        seen.0 = Some(mark);
        Ok(Some(summary))
    }
}
