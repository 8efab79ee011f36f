//! Nothing of what was erased stays in the file, in its log, or in copies of it.

use rusqlite::{Transaction, TransactionBehavior};

use super::{
    super::{
        super::{change::Reached, error::OutboxError},
        copies::forget_all,
        lock,
        own::{self, ErasedEntries},
    },
    File,
};

impl File {
    /// Leaves nothing of what was erased: neither in gaps between rows, where the rebuilding of a page forgets copies,
    /// nor in the log; of anonymous entries not in corrupt files that were moved aside, either. Where that cannot be
    /// done now, such as for want of room, it is done later.
    ///
    /// # Errors
    /// [`OutboxError::Corrupt`] alone.
    pub(crate) fn compact(&mut self) -> Result<(), OutboxError> {
        let compacted = self.try_compact();
        if compacted.is_err() {
            self.has_remains = true;
            self.forget_remains();
        }
        match compacted {
            Err(OutboxError::Corrupt) => Err(OutboxError::Corrupt),
            _ => Ok(()),
        }
    }

    fn try_compact(&self) -> Result<(), OutboxError> {
        let others = self.changed_by_others()?;
        let erased = own::erased(&self.connection)?;
        if erased == ErasedEntries::None {
            return Ok(());
        }
        let _nobody_repairs = lock::RepairLock::to_change(&self.path, self.options.patience)?;
        self.check_identity()?;
        if erased == ErasedEntries::Anonymous {
            forget_all(&self.path)?;
        }
        self.connection.execute_batch("VACUUM")?;
        if self.forget()? {
            self.options.reached(Reached::Compacted);
            self.note_all_gone(others)?;
        }
        Ok(())
    }

    /// Notes that nothing is left, unless another has changed the file since: it may have erased something, too, and
    /// have been killed before it did this.
    fn note_all_gone(&self, others: i64) -> Result<(), OutboxError> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        if self.changed_by_others()? == others {
            own::all_gone(&transaction)?;
        }
        Ok(transaction.commit()?)
    }
}
