//! Somebody who reports while all the others come back: how long they wait for their answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use incident_core::Timestamp;
use incident_mobile_ffi::outbox::{Header, SYNC_PATH, Upload, UploadResult};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{Failure, network::Network, night::now_ms};

/// Between two reports; none waits for the one before it.
const PAUSE: Duration = Duration::from_millis(20);
/// What a server that asks for patience asks for at least.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reports that are made and sent at once.
pub(crate) struct Fresh {
    task: JoinHandle<()>,
    /// From the report to the answer that settled it, in milliseconds.
    waited_ms: Arc<Mutex<Vec<f64>>>,
}

impl Fresh {
    /// Reports until [`Fresh::end`].
    pub(crate) fn start(network: Network, token: String) -> Self {
        let waited_ms = Arc::new(Mutex::new(Vec::new()));
        let (network, all) = (Arc::new(network), Arc::clone(&waited_ms));
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(PAUSE);
            loop {
                beat.tick().await;
                let (network, token, all) = (Arc::clone(&network), token.clone(), Arc::clone(&all));
                tokio::spawn(async move {
                    let ms = report(&network, &token).await;
                    all.lock().unwrap_or_else(PoisonError::into_inner).push(ms);
                });
            }
        });
        Self { task, waited_ms }
    }

    /// Stops, and says what half and 99 of 100 waited at most.
    pub(crate) fn end(self) -> Result<Value, Failure> {
        self.task.abort();
        let mut ms = self.waited_ms.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ms.sort_by(f64::total_cmp);
        let longest = ms.last().copied().ok_or("no fresh report was answered")?;
        let of_100 = |part: usize| ms[(ms.len() * part / 100).min(ms.len() - 1)];
        Ok(json!({ "reports": ms.len(), "p50Ms": of_100(50), "p99Ms": of_100(99), "longestMs": longest }))
    }
}

async fn report(network: &Network, token: &str) -> f64 {
    let (started, upload) = (Instant::now(), upload(now_ms()));
    while !matches!(network.send(&upload, token).await, UploadResult::Response { status: 200 | 201, .. }) {
        tokio::time::sleep(PATIENCE).await;
    }
    started.elapsed().as_secs_f64() * 1000.0
}

fn upload(at_ms: i64) -> Upload {
    let at = Timestamp::from_unix_ms(at_ms).map(|at| at.to_string()).unwrap_or_default();
    let payload = json!({
        "locationId": "ward-7",
        "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
        "isAnonymous": false,
        "createdAt": at,
    });
    Upload {
        id: 0,
        method: "POST".into(),
        path: SYNC_PATH.into(),
        headers: vec![Header { name: "Content-Type".into(), value: "application/json".into() }],
        body: payload.to_string().into_bytes(),
        timeout_ms: 30_000,
    }
}
