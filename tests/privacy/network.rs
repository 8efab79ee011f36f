//! Between a phone's outbox and the server.

use incident_mobile_ffi::outbox::{Header, Upload, UploadResult};
use incident_tests::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Failure, phone::Habits};

const KEY: &str = "Idempotency-Key";

/// Sends an upload; returns the answer as the outbox takes it and as it came.
pub(crate) async fn send(
    client: &Client,
    upload: &Upload,
    habits: &Habits,
) -> Result<(UploadResult, Value), Failure> {
    let payload: Value = serde_json::from_slice(&upload.body)?;
    let hides_key = !habits.sends_sealed_keys && payload["isAnonymous"] == true;
    let mut request = client.request(Method::POST, &upload.path).body(upload.body.clone());
    let mut key = None;
    for Header { name, value } in &upload.headers {
        if hides_key && name == KEY {
            key = Some(value.trim_matches('"'));
        } else {
            request = request.header(name, value);
        }
    }
    let Answer { status, headers, mut body, text } = Answer::to(request).await;
    if let Some(key) = key {
        // What such a client would have expected.
        body["idempotencyKey"] = json!(key);
    } else if body.is_null() {
        return Err(format!("not taken: {status} {text}").into());
    }
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some(Header { name: name.to_string(), value: value.to_str().ok()?.to_owned() })
    };
    let headers = headers.iter().filter_map(header).collect();
    Ok((UploadResult::Response { status: status.into(), headers, body: body.to_string().into_bytes() }, body))
}
