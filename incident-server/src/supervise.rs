//! Background tasks that may not die unseen.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::sleep;

use crate::limits::PAUSE_AFTER_A_BUG;

/// Runs a task to its end. If a bug ends it before, the log says so and it is begun again.
pub(crate) async fn supervised<F: Future<Output = ()>>(task: &'static str, begin: impl Fn() -> F) {
    begun_again(task, PAUSE_AFTER_A_BUG, begin).await;
}

async fn begun_again<F: Future<Output = ()>>(task: &'static str, pause: Duration, begin: impl Fn() -> F) {
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        tracing::error!(task, "a background task died of a bug and is begun again");
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_dies_is_begun_again() {
        let begun = AtomicU32::new(0);
        begun_again("test", Duration::ZERO, || async {
            assert!(begun.fetch_add(1, Ordering::Relaxed) > 1, "it dies twice");
        })
        .await;
        assert_eq!(begun.into_inner(), 3);
    }
}
