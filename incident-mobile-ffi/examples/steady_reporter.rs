//! Reports into the file given as argument, over and over until it is killed, and says each key on its standard output
//! once it has it. Where the file turns out corrupt and is repaired, it asks again, as an app would.

use std::{error::Error, io::Write, path::Path};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Draft, Options, Outbox, OutboxError};

const NOW_MS: i64 = 1_795_342_530_120;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let mut outbox = Outbox::open(Path::new(&file), Reporter::parse("alice")?, Options::default(), NOW_MS)?;
    let report = Draft::new("ward-7", 12.5, 41.9);
    loop {
        // Always the same moment: a key that was lost would be given again.
        match outbox.report(&report, NOW_MS) {
            Ok(entry) => writeln!(std::io::stdout().lock(), "{}", entry.key)?,
            Err(OutboxError::Corrupt) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
