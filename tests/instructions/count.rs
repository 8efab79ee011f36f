//! Two runs of the server that differ only in how many syncs they take: the difference is what those cost.

use serde_json::{Value, json};

use crate::{Failure, server::Server};

/// Each with a token of their own, which the server remembers from the first run's length on.
const REPORTERS: usize = 50;
const PLACES: usize = 20;
/// Requests of the shorter run and of the longer one.
const SHORT: usize = 100;
const LONG: usize = 400;
/// 2026-11-23T00:00:00Z.
const FIRST_MS: i64 = 1_795_392_000_000;

/// Instructions a payload, in requests with this many payloads, one request after the other.
#[expect(clippy::cast_precision_loss, reason = "of counts of instructions")]
pub(crate) async fn a_sync(payloads: usize) -> Result<f64, Failure> {
    // A batch costs as much as many requests: fewer of them will do.
    let divisor = if payloads == 1 { 1 } else { 10 };
    let (short, long) = (SHORT / divisor, LONG / divisor);
    let fewer = instructions(short, payloads).await?;
    let more = instructions(long, payloads).await?;
    Ok((more.saturating_sub(fewer) as f64 / ((long - short) * payloads) as f64).round())
}

async fn instructions(requests: usize, payloads: usize) -> Result<u64, Failure> {
    let server = Server::start().await?;
    let client = reqwest::Client::builder().pool_max_idle_per_host(1).build()?;
    let tokens: Vec<_> = (0..REPORTERS).map(|number| Server::token(&format!("reporter-{number}"))).collect();
    for request in 0..requests {
        let reports: Vec<_> = (0..payloads).map(|number| report(request * payloads + number)).collect();
        let (path, body) = match <[Value; 1]>::try_from(reports) {
            Ok([report]) => ("/api/incidents/sync", report),
            Err(reports) => ("/api/incidents/sync/batch", json!({ "incidents": reports })),
        };
        let token = &tokens[request % REPORTERS];
        let sent = client.post(format!("{}{path}", server.url())).bearer_auth(token).json(&body).send();
        let answer = sent.await?.error_for_status()?;
        answer.bytes().await?;
    }
    server.stop().await
}

/// The report of this number: another moment for each.
fn report(number: usize) -> Value {
    let at_ms = FIRST_MS + i64::try_from(number).unwrap_or_default() * 1000;
    let at = incident_core::Timestamp::from_unix_ms(at_ms).map(|at| at.to_string()).unwrap_or_default();
    json!({
        "locationId": format!("location-{}", number % PLACES),
        "roomNumber": "12B",
        "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
        "isAnonymous": false,
        "createdAt": at,
    })
}
