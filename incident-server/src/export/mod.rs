//! The subcommand `export`: everything as JSON lines or CSV, in a file that only its owner can read.

mod csv;
mod tally;

use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use incident_core::Event;
use serde::Serialize;
use tempfile::Builder;

use self::{csv::Csv, tally::Tally};
use crate::{
    audit,
    cli::{Config, ExportFormat},
    console::{Failure, say},
    interrupted::{Interrupted, Interruption},
    opening,
    store::{Everything, StoredIncident, refuse_name_of_a_part},
    views::changes::EventView,
    views::incident::{IncidentView, StoredView},
};

/// An incident as it is exported: as a reader with `incidents:read` sees it, or what is left of an erased one, with
/// what happened to it.
#[derive(Serialize)]
struct Exported {
    #[serde(flatten)]
    incident: StoredView,
    history: Vec<EventView>,
}

impl Exported {
    fn new(stored: StoredIncident, events: &[Event]) -> Self {
        let history = events.iter().map(EventView::from).collect();
        let left = StoredView::new(stored.id, &stored.incident);
        let incident = IncidentView::read(stored, true).map_or(left, |kept| StoredView::Kept(Box::new(kept)));
        Self { incident, history }
    }
}

/// Writes everything to a new file, or to the standard output where the file is `-`.
///
/// # Errors
/// It is not whole. A file is not there then, unless rows of the database could not be read.
pub(crate) async fn export(config: &Config, to: &Path, format: ExportFormat) -> Result<(), Failure> {
    let mut everything = Everything::open(&opening::database(config)?).await?;
    audit::export_begins();
    let tally = if to == Path::new("-") {
        let tally = write(&mut everything, format, &mut io::stdout()).await?;
        let _ = writeln!(io::stderr(), "{tally}"); // the audit log has it, too
        tally
    } else {
        let tally = to_file(&mut everything, format, to).await?;
        say(format_args!("{}: {tally}", to.display()));
        tally
    };
    audit::export_ends(tally.incidents);
    match tally.unreadable {
        0 => Ok(()),
        rows => {
            Err(format!("{rows} rows cannot be read and are missing in the export; the log names them")
                .into())
        }
    }
}

/// Whoever finds the file finds a whole one: it is on the disk before it gets its name.
async fn to_file(everything: &mut Everything, format: ExportFormat, to: &Path) -> Result<Tally, Failure> {
    let because = |error: io::Error| format!("cannot write {}: {error}", to.display());
    if to.exists() {
        return Err(format!("{} is there already, and nothing is overwritten", to.display()).into());
    }
    refuse_name_of_a_part(to)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft =
        Builder::new().prefix(".incidents-").suffix(".part").tempfile_in(directory).map_err(because)?;
    let interruption = Interruption::note()?;
    let tally = write(everything, format, &mut Guarded(draft.as_file(), interruption)).await?;
    draft.as_file().sync_all().map_err(because)?;
    draft.persist_noclobber(to).map_err(|error| because(error.error))?;
    Ok(tally)
}

/// A file that takes no more once an end is asked for.
struct Guarded<'a>(&'a File, Interruption);

impl Write for Guarded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.has_come() { Err(io::Error::other(Interrupted)) } else { self.0.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

async fn write(
    everything: &mut Everything,
    format: ExportFormat,
    to: &mut (impl Write + Send),
) -> Result<Tally, Failure> {
    let mut out = BufWriter::new(to);
    let mut tally = Tally::default();
    if format == ExportFormat::Csv {
        Csv::new(&mut out).header()?;
    }
    let mut after = None;
    loop {
        let page = everything.page(after).await.map_err(|error| because(&error))?;
        tally.unreadable += page.unreadable;
        for (stored, events) in page.incidents {
            tally.add(&stored);
            let exported = Exported::new(stored, &events);
            match format {
                ExportFormat::Jsonl => {
                    serde_json::to_writer(&mut out, &exported)?;
                    out.write_all(b"\n")?;
                }
                ExportFormat::Csv => Csv::new(&mut out).line(&serde_json::to_value(exported)?)?,
            }
        }
        if page.last.is_none() {
            break;
        }
        after = page.last;
    }
    out.flush()?;
    Ok(tally)
}

/// A store's error says what it means, and its cause what happened.
fn because(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
