//! Whether an answer is one to what was sent.

use incident_mobile_ffi::outbox::Upload;
use serde_json::Value;

use crate::{Broken, server::Answer};

/// What a server may answer to a sync that is not committed.
const REFUSALS: [u64; 8] = [401, 403, 408, 409, 413, 422, 429, 503];

/// Looks at every result of an answer.
pub(crate) fn check(upload: &Upload, answer: &Answer) -> Result<(), Broken> {
    let wrong = |why: &str| {
        let (sent, said) = (String::from_utf8_lossy(&upload.body), String::from_utf8_lossy(&answer.body));
        Err(format!("{why}: {} {said} to {sent}", answer.status))
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let sent: Value = serde_json::from_slice(&upload.body).unwrap_or_default();
    let is_success = matches!(answer.status, 200 | 201);
    if is_success && upload.path.ends_with("/batch") {
        let (sent, said) = (elements(&sent["incidents"]), elements(&said["results"]));
        if sent.len() != said.len() {
            return wrong("a batch has other results");
        }
        let each =
            |(sent, said): (&Value, &Value)| fits(sent, said, said["httpStatus"].as_u64().unwrap_or(0));
        return if sent.iter().zip(said).all(each) { Ok(()) } else { wrong("a result is another's") };
    }
    if fits(&sent, &said, u64::from(answer.status)) { Ok(()) } else { wrong("an answer is another's") }
}

fn elements(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Whether this is an answer to that payload.
fn fits(sent: &Value, said: &Value, status: u64) -> bool {
    if !matches!(status, 200 | 201) {
        return REFUSALS.contains(&status) && said["disposition"].is_string();
    }
    let incident = &said["incident"];
    let is_erased = incident["status"] == "Erased";
    let is_cancelled = sent["cancellationReason"].is_null() || incident["status"] == "Cancelled";
    let same = ["locationId", "roomNumber", "gpsCoordinates", "isAnonymous", "createdAt"];
    incident["createdAt"] == sent["createdAt"]
        && (is_erased || is_cancelled && same.iter().all(|name| incident[name] == sent[name]))
        && incident["reporter"].is_null()
}
