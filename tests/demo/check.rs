//! Afterwards: what the server holds against what the phones hold.

use std::collections::BTreeMap;

use incident_core::Status;
use incident_mobile_ffi::outbox::Entry;
use serde_json::Value;

use crate::{Failure, phone::expected_status, server::Server};

/// How many incidents there are and how many of them are cancelled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) incidents: usize,
    pub(crate) cancelled: usize,
}

/// Every report of every phone must be one incident of the server, in the state that its owner wanted, and the
/// server must have no other. Of anonymous ones the phones know only how many they were.
pub(crate) async fn verify(
    server: &Server,
    entries: &[Entry],
    anonymous: usize,
) -> Result<Verified, Failure> {
    let stored = read_all(server).await?;
    let mut found = BTreeMap::new();
    for (id, status) in &stored {
        if found.insert(id, status).is_some() {
            return Err(format!("the server lists {id} twice").into());
        }
    }
    for entry in entries {
        let id = &entry.incident.as_ref().ok_or("a report was never settled")?.id;
        let status = found.remove(id).ok_or("an incident is missing, or two reports became one")?;
        if status != expected_status(entry).as_str() {
            return Err(format!("{id} is {status}").into());
        }
    }
    if found.len() != anonymous {
        return Err(format!("{} incidents for {anonymous} anonymous reports", found.len()).into());
    }
    let cancelled = stored.iter().filter(|(_, status)| status == Status::Cancelled.as_str()).count();
    Ok(Verified { incidents: stored.len(), cancelled })
}

/// Id and status of every incident, page by page.
async fn read_all(server: &Server) -> Result<Vec<(String, String)>, Failure> {
    let (client, token) = (reqwest::Client::new(), server.reader_token());
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let url = format!("{}/api/incidents?limit=200{cursor}", server.url);
        let page: Value =
            client.get(url).bearer_auth(&token).send().await?.error_for_status()?.json().await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let incidents = page["incidents"].as_array().ok_or("a page without incidents")?;
        all.extend(incidents.iter().map(|incident| (text(&incident["id"]), text(&incident["status"]))));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}
