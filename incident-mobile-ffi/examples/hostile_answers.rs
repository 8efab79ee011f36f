//! Reads the longest answers that are read at all, each made so that it takes as much memory as it can, in the outbox
//! of the file given as argument. Says how much memory that took at most, in KiB.

use std::{error::Error, fs, path::Path};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{
    Draft, MAX_ANSWER_BYTES, MAX_UPLOAD_ENTRIES, NextUpload, Options, Outbox, UploadResult,
};

const NOW_MS: i64 = 1_795_342_530_120;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let mut outbox = Outbox::open(Path::new(&file), Reporter::parse("alice")?, Options::default(), NOW_MS)?;
    for _ in 0..MAX_UPLOAD_ENTRIES {
        outbox.report(&report(), NOW_MS)?;
    }
    let before_kib = peak_kib()?;
    for (start, repeated, end) in [
        (r#"{"results":["#, "1,", "1]}"),
        (r#"{"results":["#, "{},", "{}]}"),
        (r#"{"results":["#, r#"{"errors":[1]},"#, "{}]}"),
        (r#"{"disposition":"quarantine","errors":["#, "1,", "1]}"),
        (r#"{"disposition":"quarantine","errors":["#, "{},", "{}]}"),
        (r#"{"disposition":"quarantine","fields":["#, r#""","#, r#"""]}"#),
        (r#"{"disposition":"quarantine","detail":""#, "\u{1f9ef}", r#""}"#),
        (r#"{"incident":"#, "[", ""),
        ("[", "1,", "1]"),
        ("", "\0", ""),
    ] {
        let count = (MAX_ANSWER_BYTES - start.len() - end.len()) / repeated.len();
        let body = format!("{start}{}{end}", repeated.repeat(count)).into_bytes();
        send(&mut outbox, &UploadResult::Response { status: 200, headers: Vec::new(), body })?;
    }
    println!("{}", peak_kib()? - before_kib);
    Ok(())
}

/// Sends the next upload, however long the queue would wait, and hands back this answer.
fn send(outbox: &mut Outbox, result: &UploadResult) -> Result<(), Box<dyn Error>> {
    outbox.token_changed();
    outbox.network_changed()?;
    outbox.retry_all(None, NOW_MS)?;
    let NextUpload::Send { upload } = outbox.next_upload(NOW_MS)? else {
        return Err("nothing to send".into());
    };
    outbox.complete_upload(upload.id, result, NOW_MS)?;
    Ok(())
}

fn report() -> Draft {
    Draft::new("ward-7", 12.5, 41.9)
}

/// `VmHWM` of `/proc/self/status`.
fn peak_kib() -> Result<i64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}
