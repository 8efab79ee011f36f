//! The keys in force, and how they follow what the issuer publishes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use super::{Caller, JwksSource, keys::KeySet};

/// How long a token with an unknown key may not make us ask the issuer again: anybody can make up such tokens.
const COOL_DOWN: Duration = Duration::from_secs(10);
const CACHED_TOKENS: usize = 4096;

/// A key set and the tokens that were verified under it: those stay verified until they expire or the keys change.
pub(super) struct Trusted {
    pub(super) keys: KeySet,
    pub(super) verified: Cache<String, Caller>,
}

impl Trusted {
    fn new(keys: KeySet) -> Arc<Self> {
        Arc::new(Self { keys, verified: Cache::new(CACHED_TOKENS) })
    }
}

/// The keys in force.
pub(super) struct InForce {
    trusted: ArcSwap<Trusted>,
    source: Option<JwksSource>,
    /// When a token last made us ask the issuer. Held while it is asked, so that answers cannot overtake each other.
    asked: Mutex<Option<Instant>>,
}

impl InForce {
    /// Keys that change when their source does; without a source, never.
    pub(super) fn new(keys: KeySet, source: Option<JwksSource>) -> Self {
        Self { trusted: ArcSwap::new(Trusted::new(keys)), source, asked: Mutex::new(None) }
    }

    pub(super) fn now(&self) -> Arc<Trusted> {
        self.trusted.load_full()
    }

    /// Whether an issuer is configured and no key of it was ever to be had.
    pub(super) fn awaited(&self, trusted: &Trusted) -> bool {
        self.source.is_some() && trusted.keys.is_empty()
    }

    /// The keys in force once the issuer was asked for one that a token names, unless it has just been asked.
    pub(super) async fn ask_for_token(&self) -> Arc<Trusted> {
        if self.source.is_none() {
            return self.now();
        }
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|asked| asked.elapsed() >= COOL_DOWN) {
            self.load().await;
            *asked = Some(Instant::now());
        }
        self.now()
    }

    /// Asks the issuer for no token's sake, so no token has to wait for its turn afterwards.
    pub(super) async fn refresh(&self) {
        let _one_at_a_time = self.asked.lock().await;
        self.load().await;
    }

    /// The old keys serve while the issuer is away.
    async fn load(&self) {
        let Some(source) = &self.source else { return };
        match source.load().await {
            Ok(keys) => self.trusted.store(Trusted::new(keys)),
            Err(error) => {
                let known = !self.trusted.load().keys.is_empty();
                let then = if known { "the old keys serve on" } else { "there is none yet, tokens get 503" };
                tracing::warn!(%error, "the key set could not be loaded; {then}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2.
    const ONE_KEY: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const NO_KEY: &str = r#"{"keys":[]}"#;

    async fn published(file: &tempfile::NamedTempFile, keys: &str) -> JwksSource {
        tokio::fs::write(file.path(), keys).await.unwrap();
        JwksSource::File(file.path().to_owned())
    }

    #[tokio::test]
    async fn housekeeping_does_not_keep_a_token_from_asking() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let in_force = InForce::new(KeySet::default(), Some(published(&file, NO_KEY).await));
        in_force.refresh().await;

        published(&file, ONE_KEY).await;

        assert!(!in_force.ask_for_token().await.keys.is_empty());
    }

    #[tokio::test]
    async fn after_one_token_has_asked_the_others_wait() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let in_force = InForce::new(KeySet::default(), Some(published(&file, NO_KEY).await));
        in_force.ask_for_token().await;

        published(&file, ONE_KEY).await;

        assert!(in_force.ask_for_token().await.keys.is_empty());
        in_force.refresh().await;
        assert!(!in_force.now().keys.is_empty());
    }
}
