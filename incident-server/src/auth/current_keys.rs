//! The keys in force, and how they follow what the issuer publishes or the operator puts into files.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use quick_cache::{Weighter, sync::Cache};
use tokio::sync::{Mutex, watch};

use super::{Caller, key_source::KeySource, keys::KeySet};
use crate::limits::{CACHED_TOKEN_BYTES, KEY_SET_COOL_DOWN, TOKEN_OVERHEAD_BYTES};

/// A key set and the tokens that were verified under it: those stay verified until they expire or the keys change.
pub(super) struct Trusted {
    pub(super) keys: KeySet,
    pub(super) verified: Cache<String, Caller, InBytes>,
}

/// A token weighs what it takes in memory: a long one must not cost more than many short ones.
#[derive(Clone)]
pub(super) struct InBytes;

impl Weighter<String, Caller> for InBytes {
    fn weight(&self, token: &String, _: &Caller) -> u64 {
        (token.len() + TOKEN_OVERHEAD_BYTES) as u64
    }
}

impl Trusted {
    fn new(keys: KeySet) -> Arc<Self> {
        let about = CACHED_TOKEN_BYTES / TOKEN_OVERHEAD_BYTES / 2;
        Arc::new(Self { keys, verified: Cache::with_weighter(about, CACHED_TOKEN_BYTES as u64, InBytes) })
    }
}

/// How fresh the keys in force are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeySetState {
    /// Since the issuer's set was last loaded, or since the start if it never was; zero without an issuer.
    pub(crate) age: Duration,
    /// Attempts that brought no keys.
    pub(crate) failures: u64,
}

/// The keys in force.
pub(super) struct CurrentKeys {
    trusted: ArcSwap<Trusted>,
    source: Option<KeySource>,
    /// When a token last made us ask the issuer. Held while it is asked, so that answers cannot overtake each other.
    asked: Mutex<Option<Instant>>,
    changes: watch::Sender<()>,
    loaded: std::sync::Mutex<Instant>,
    failures: AtomicU64,
}

impl CurrentKeys {
    /// Keys that change when their source does; without a source, never.
    pub(super) fn new(keys: KeySet, source: Option<KeySource>) -> Self {
        let trusted = ArcSwap::new(Trusted::new(keys));
        let (asked, changes) = (Mutex::new(None), watch::Sender::new(()));
        let (loaded, failures) = (std::sync::Mutex::new(Instant::now()), AtomicU64::new(0));
        Self { trusted, source, asked, changes, loaded, failures }
    }

    /// How fresh the keys are.
    pub(super) fn state(&self) -> KeySetState {
        let loaded = *self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let age = if self.has_issuer() { loaded.elapsed() } else { Duration::ZERO };
        KeySetState { age, failures: self.failures.load(Ordering::Relaxed) }
    }

    pub(super) fn now(&self) -> Arc<Trusted> {
        self.trusted.load_full()
    }

    /// Marked as changed whenever other keys are in force.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whether an issuer is configured and no key of it was ever to be had.
    pub(super) fn awaited(&self, trusted: &Trusted) -> bool {
        self.source.is_some() && trusted.keys.is_empty()
    }

    /// The keys in force once the issuer was asked for one that a token is signed with, unless it has just been
    /// asked. Where it is being asked, the answer to that is waited for, so no token waits for two.
    pub(super) async fn ask_for_token(&self) -> Arc<Trusted> {
        if !self.has_issuer() {
            return self.now();
        }
        if let Ok(mut asked) = self.asked.try_lock() {
            if asked.is_none_or(|asked| asked.elapsed() >= KEY_SET_COOL_DOWN) {
                // Before, too: who asks may go away meanwhile.
                *asked = Some(Instant::now());
                self.load().await;
                *asked = Some(Instant::now());
            }
        } else {
            drop(self.asked.lock().await);
        }
        self.now()
    }

    /// Asks the issuer for no token's sake, so no token has to wait for its turn afterwards.
    pub(super) async fn refresh(&self) {
        if self.has_issuer() {
            self.reload().await;
        }
    }

    /// Reads the files again, or asks the issuer; says whether there were keys.
    pub(super) async fn reload(&self) -> bool {
        let _one_at_a_time = self.asked.lock().await;
        self.load().await
    }

    fn has_issuer(&self) -> bool {
        matches!(self.source, Some(KeySource::Issuer(_)))
    }

    /// The old keys serve while there are no others.
    async fn load(&self) -> bool {
        let Some(source) = &self.source else { return true };
        let old = self.now();
        let then =
            if old.keys.is_empty() { "there is none yet, tokens get 503" } else { "the old keys serve on" };
        let loaded = source.load().await;
        let has_keys = loaded.as_ref().is_ok_and(|keys| !keys.is_empty());
        self.note(has_keys);
        match loaded {
            Ok(keys) if keys.is_as(&old.keys) => {}
            Ok(keys) if keys.is_empty() => {
                tracing::warn!("the key set has no key that can be used here (RS256, ES256, EdDSA); {then}");
            }
            Ok(keys) => {
                self.trusted.store(Trusted::new(keys));
                self.changes.send_replace(());
                tracing::info!("other keys are in force for access tokens");
            }
            Err(error) => tracing::warn!(%error, "the keys could not be loaded; {then}"),
        }
        has_keys
    }

    fn note(&self, loaded: bool) {
        if loaded {
            *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        } else {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use incident_core::Timestamp;

    use super::{
        super::{JwksSource, TokenRequest, Verifier, mint_hs256},
        *,
    };

    /// RFC 8037, appendix A.2.
    const ONE_KEY: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const NO_KEY: &str = r#"{"keys":[]}"#;

    async fn published(file: &tempfile::NamedTempFile, keys: &str) -> KeySource {
        tokio::fs::write(file.path(), keys).await.unwrap();
        KeySource::Issuer(JwksSource::File(file.path().to_owned()))
    }

    #[tokio::test]
    async fn of_long_tokens_fewer_are_remembered() {
        let verifier = Verifier::hs256(&[7; 32], None, None);
        let now = Timestamp::from_unix_ms(1_795_348_800_000).unwrap();
        let scope = "incidents:read ".repeat(200);
        let wanted = 2 * CACHED_TOKEN_BYTES / scope.len();
        for number in 0..wanted {
            let (sub, ttl) = (&format!("person{number}"), Duration::from_secs(3600));
            let request = TokenRequest { sub, scope: Some(&scope), issuer: None, audience: None, ttl };
            verifier.verify(&mint_hs256(&[7; 32], request, now), now).await.unwrap();
        }
        let remembered = verifier.current_keys.now().verified.len();
        assert!((wanted / 8..wanted / 2).contains(&remembered), "{remembered} of {wanted}");
    }

    #[tokio::test]
    async fn housekeeping_does_not_keep_a_token_from_asking() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let current_keys = CurrentKeys::new(KeySet::default(), Some(published(&file, NO_KEY).await));
        current_keys.refresh().await;

        published(&file, ONE_KEY).await;

        assert!(!current_keys.ask_for_token().await.keys.is_empty());
    }

    #[tokio::test]
    async fn after_one_token_has_asked_the_others_wait() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let current_keys = CurrentKeys::new(KeySet::default(), Some(published(&file, NO_KEY).await));
        current_keys.ask_for_token().await;

        published(&file, ONE_KEY).await;

        assert!(current_keys.ask_for_token().await.keys.is_empty());
        current_keys.refresh().await;
        assert!(!current_keys.now().keys.is_empty());
    }

    #[tokio::test]
    async fn one_who_goes_away_has_asked_all_the_same() {
        let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", issuer.local_addr().unwrap());
        let source = KeySource::Issuer(url.parse().unwrap());
        let current_keys = CurrentKeys::new(KeySet::default(), Some(source));
        tokio::select! {
            _ = current_keys.ask_for_token() => panic!("the issuer is silent"),
            asked = issuer.accept() => drop(asked.unwrap()),
        }

        tokio::select! {
            biased;
            _ = issuer.accept() => panic!("asked again"),
            trusted = current_keys.ask_for_token() => assert!(trusted.keys.is_empty()),
        }
    }

    #[tokio::test]
    async fn a_set_without_a_key_takes_none_away() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let current_keys = CurrentKeys::new(KeySet::default(), Some(published(&file, ONE_KEY).await));
        current_keys.refresh().await;

        published(&file, NO_KEY).await;
        current_keys.refresh().await;

        assert!(!current_keys.now().keys.is_empty());
    }

    #[tokio::test]
    async fn the_same_keys_again_are_no_change() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let current_keys = CurrentKeys::new(KeySet::default(), Some(published(&file, ONE_KEY).await));
        current_keys.refresh().await;
        let (changes, before) = (current_keys.watch(), current_keys.now());

        current_keys.refresh().await;

        assert!(Arc::ptr_eq(&before, &current_keys.now()) && !changes.has_changed().unwrap());
    }
    #[tokio::test]
    async fn the_age_of_the_keys_begins_anew_with_a_set_and_what_brings_none_is_counted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let current_keys = CurrentKeys::new(KeySet::default(), Some(published(&file, NO_KEY).await));
        current_keys.refresh().await;
        published(&file, "no set").await;
        current_keys.refresh().await;
        let never_loaded = current_keys.state();

        published(&file, ONE_KEY).await;
        current_keys.refresh().await;
        let loaded = current_keys.state();

        assert_eq!((never_loaded.failures, loaded.failures), (2, 2));
        assert!(loaded.age < never_loaded.age, "{loaded:?} {never_loaded:?}");
    }

    #[tokio::test]
    async fn keys_without_an_issuer_have_no_age() {
        assert_eq!(CurrentKeys::new(KeySet::default(), None).state().age, Duration::ZERO);
    }
}
