//! The bytes that bodies and answers may take in all, so that no number of stalled peers fills the memory.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody, to_bytes},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use incident_core::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits::{ANSWER_BYTES, BODY_BYTES, FREE_ANSWER_BYTES, STRANGERS_ANSWER_BYTES},
    problem::ProblemDetails,
    usage::{Usage, too_much},
};

/// What may still be under way.
pub(crate) struct Budget {
    bodies: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    strangers_answers: Arc<Semaphore>,
}

/// Bytes that are under way, given back on drop.
#[derive(Default)]
pub(crate) struct Held(Vec<OwnedSemaphorePermit>);

impl Held {
    /// Takes this many of each, or of none.
    fn take(&mut self, from: &Arc<Semaphore>, bytes: usize) -> Option<()> {
        let bytes = u32::try_from(bytes).ok()?;
        let taken = Arc::clone(from).try_acquire_many_owned(bytes).ok()?;
        self.0.push(taken);
        Some(())
    }
}

impl Budget {
    pub(crate) fn new() -> Self {
        let of = |bytes| Arc::new(Semaphore::new(bytes));
        let (bodies, answers) = (of(BODY_BYTES), of(ANSWER_BYTES));
        Self { bodies, answers, strangers_answers: of(STRANGERS_ANSWER_BYTES) }
    }

    /// Lets a body grow by this much.
    pub(crate) fn grow(&self, held: &mut Held, usage: &Usage, bytes: usize) -> Result<(), ProblemDetails> {
        held.take(&usage.bytes, bytes).ok_or_else(too_much)?;
        held.take(&self.bodies, bytes).ok_or_else(full)
    }

    /// The answer, whose bytes count until the last of them has left; or a refusal, where too many are under way.
    pub(crate) fn charge(&self, response: Response) -> Response {
        match response.body().size_hint().exact() {
            Some(bytes) if bytes > FREE_ANSWER_BYTES => {
                self.charged(response).unwrap_or_else(IntoResponse::into_response)
            }
            _ => response,
        }
    }

    fn charged(&self, response: Response) -> Result<Response, ProblemDetails> {
        let (mut parts, body) = response.into_parts();
        // It is there already: a body of a known size is made of bytes that wait for nothing.
        let bytes = to_bytes(body, usize::MAX).now_or_never().and_then(Result::ok).ok_or_else(full)?;
        let mut held = Held::default();
        if let Some(usage) = parts.extensions.remove::<Arc<Usage>>() {
            held.take(&usage.bytes, bytes.len()).ok_or_else(too_much)?;
            held.take(&self.answers, bytes.len()).ok_or_else(full)?;
        } else {
            let full = || full().for_a_stranger();
            held.take(&self.strangers_answers, bytes.len()).ok_or_else(full)?;
        }
        Ok(Response::from_parts(parts, Body::from(Bytes::from_owner(HeldBytes { bytes, _held: held }))))
    }
}

/// The bytes of an answer, and what they hold of the budget.
struct HeldBytes {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn full() -> ProblemDetails {
    ProblemDetails::new(Problem::Overloaded, "too many bytes are under way; send it again")
}
