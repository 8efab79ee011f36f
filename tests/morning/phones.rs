//! The phones come back: what each sends, and when again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use incident_mobile_ffi::outbox::{NetworkFailureKind, NextUpload, Outbox, Upload, UploadResult};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    Failure,
    network::{Network, no_answer},
    night::{Phone, now_ms},
};

/// Outboxes open at once, four files each.
const OPEN_OUTBOXES: usize = 500;

/// What came of it.
pub(crate) struct Morning {
    /// Each with its first answer, unless its outbox has settled already.
    pub(crate) phones: Vec<(Phone, Option<UploadResult>)>,
    /// From the first phone to the last answer that settled.
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    /// Answers that asked for patience.
    pub(crate) refused: u64,
}

struct Line {
    network: Arc<Network>,
    open: Semaphore,
    requests: AtomicU64,
    refused: AtomicU64,
}

/// Lets the phones find the network within this time, evenly, and returns when all have settled.
pub(crate) async fn come_back(
    phones: Vec<Phone>,
    network: &Arc<Network>,
    within: Duration,
) -> Result<Morning, Failure> {
    let open = Semaphore::new(OPEN_OUTBOXES);
    let (requests, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let line = Arc::new(Line { network: Arc::clone(network), open, requests, refused });
    let (started, count) = (Instant::now(), u32::try_from(phones.len())?);
    let mut coming = JoinSet::new();
    for (at, phone) in (0..).zip(phones) {
        tokio::time::sleep_until((started + within * at / count).into()).await;
        let line = Arc::clone(&line);
        coming.spawn(async move { line.settle(phone).await });
    }
    let mut phones = Vec::new();
    while let Some(settled) = coming.join_next().await {
        phones.push(settled??);
    }
    Ok(Morning {
        phones,
        seconds: started.elapsed().as_secs_f64(),
        requests: line.requests.load(Ordering::Relaxed),
        refused: line.refused.load(Ordering::Relaxed),
    })
}

impl Line {
    /// The first upload as it was prepared; then as the outbox says.
    async fn settle(&self, phone: Phone) -> Result<(Phone, Option<UploadResult>), Failure> {
        let answer = self.send(&phone, &phone.upload).await;
        let loses_it = phone.number.is_multiple_of(10);
        if is_success(&answer) && !loses_it {
            return Ok((phone, Some(answer)));
        }
        let answer = if loses_it { no_answer(NetworkFailureKind::TimedOut, String::new()) } else { answer };
        self.complete_first(&phone, &answer).await?;
        while let Some(wait) = self.go_on(&phone).await? {
            tokio::time::sleep(wait).await;
        }
        Ok((phone, None))
    }

    async fn send(&self, phone: &Phone, upload: &Upload) -> UploadResult {
        let answer = self.network.send(upload, &phone.token).await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !is_success(&answer) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn complete_first(&self, phone: &Phone, answer: &UploadResult) -> Result<(), Failure> {
        let _open = self.open.acquire().await?;
        tokio::task::block_in_place(|| {
            let mut outbox = phone.open(now_ms())?;
            complete(&mut outbox, phone, answer)
        })
    }

    /// One more upload, if it is time for it. Returns how long to wait, or nothing if all has settled.
    async fn go_on(&self, phone: &Phone) -> Result<Option<Duration>, Failure> {
        let _open = self.open.acquire().await?;
        let (mut outbox, next) = tokio::task::block_in_place(|| -> Result<_, Failure> {
            let mut outbox = phone.open(now_ms())?;
            let next = outbox.next_upload(now_ms())?;
            Ok((outbox, next))
        })?;
        match next {
            NextUpload::Idle => Ok(None),
            NextUpload::SignIn { detail, .. } => Err(detail.into()),
            NextUpload::Wait { until, .. } => {
                Ok(Some(Duration::from_millis((until.0 - now_ms()).max(1).unsigned_abs())))
            }
            NextUpload::Send { upload } => {
                let answer = self.send(phone, &upload).await;
                tokio::task::block_in_place(|| outbox.complete_upload(upload.id, &answer, now_ms()))?;
                Ok(Some(Duration::ZERO))
            }
        }
    }
}

/// Hands the answer to the upload that was prepared in the night to the outbox of the phone.
pub(crate) fn complete(outbox: &mut Outbox, phone: &Phone, answer: &UploadResult) -> Result<(), Failure> {
    let NextUpload::Send { upload } = outbox.next_upload(now_ms())? else {
        return Err("an outbox has forgotten its reports".into());
    };
    if upload.body != phone.upload.body {
        return Err("an outbox would send something else than before".into());
    }
    outbox.complete_upload(upload.id, answer, now_ms())?;
    Ok(())
}

fn is_success(answer: &UploadResult) -> bool {
    matches!(answer, UploadResult::Response { status: 200 | 201, .. })
}
