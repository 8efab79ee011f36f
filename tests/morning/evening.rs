//! Afterwards: what the phones were told, against what the server holds.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use incident_mobile_ffi::outbox::{EntryState, UploadResult};
use reqwest::Client;
use serde_json::Value;

use crate::{
    FRESH, Failure,
    night::{Phone, REPORTS, now_ms, on_all_processors},
    phones::complete,
    server::Server,
};

/// What is on the phones and not on the server, or there more than once.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
}

/// Gives every outbox the answer that its phone got; returns which incidents the outboxes now believe in, and whether
/// each was called off.
pub(crate) async fn hand_over(
    phones: Vec<(Phone, Option<UploadResult>)>,
) -> Result<HashMap<String, bool>, Failure> {
    let told = tokio::task::spawn_blocking(|| on_all_processors(phones, &read)).await??;
    Ok(told.into_iter().flatten().collect())
}

fn read((phone, answer): (Phone, Option<UploadResult>)) -> Result<Vec<(String, bool)>, Failure> {
    let mut outbox = phone.open(now_ms())?;
    if let Some(answer) = answer {
        complete(&mut outbox, &phone, &answer)?;
    }
    let entries = outbox.entries(Some(EntryState::Settled), i64::from(REPORTS) + 1, None)?;
    if entries.len() != usize::try_from(REPORTS)? {
        return Err(
            format!("phone {} has settled {} of {REPORTS} reports", phone.number, entries.len()).into()
        );
    }
    let incident = |entry: incident_mobile_ffi::outbox::Entry| {
        let is_cancelled = entry.payload.cancellation_reason.is_some();
        entry.incident.map(|incident| (incident.id, is_cancelled))
    };
    entries.into_iter().map(|entry| incident(entry).ok_or_else(|| "settled without a word".into())).collect()
}

/// Reads how each incident of a phone came to be on the server, and compares.
pub(crate) async fn compare(told: &HashMap<String, bool>, server: &Server) -> Result<Compared, Failure> {
    let (mut seen, mut doubled) = (HashSet::new(), 0);
    for (id, is_cancelled) in created(server).await? {
        let is_as_told = told.get(&id) == Some(&is_cancelled);
        if !is_as_told || !seen.insert(id) {
            doubled += 1;
        }
    }
    let lost = told.len() - seen.len();
    if lost == 0 && doubled == 0 {
        return Ok(Compared { lost, doubled });
    }
    Err(format!("{lost} reports are lost, {doubled} are on the server twice or in another state").into())
}

/// The id of every incident that a phone created, and whether it is called off, from the change feed.
async fn created(server: &Server) -> Result<Vec<(String, bool)>, Failure> {
    let (client, token) = (Client::new(), server.reader_token()?);
    let (mut incidents, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = format!("http://{}/api/incidents/changes?limit=1000{cursor}", server.address());
        let answer = client.get(url).bearer_auth(&token).send().await?;
        if answer.status().as_u16() == 429 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        let page: Value = answer.error_for_status()?.json().await?;
        let changes = page["changes"].as_array().ok_or("a page without changes")?;
        if changes.is_empty() {
            return Ok(incidents);
        }
        for change in changes.iter().filter(|change| change["kind"] == "created") {
            let incident = &change["incident"];
            let id = incident["id"].as_str().ok_or("an incident without an id")?;
            if incident["reporter"] != FRESH {
                incidents.push((id.to_owned(), incident["status"] == "Cancelled"));
            }
        }
        cursor = format!("&after={}", page["nextCursor"].as_str().ok_or("a page without a cursor")?);
    }
}
