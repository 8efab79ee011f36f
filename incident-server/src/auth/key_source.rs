//! Where keys come from.

use tokio::{task::spawn_blocking, time::timeout};

use super::{JwksSource, SecretFiles, keys::KeySet};
use crate::{console::Failure, limits::KEY_SET_DEADLINE};

/// Where keys come from.
pub(super) enum KeySource {
    /// From an issuer that may change them at any time.
    Issuer(JwksSource),
    /// From files that are read again when the operator says so.
    Secrets(SecretFiles),
}

impl KeySource {
    /// Gives up after a while: whoever has a token with an unknown key waits for it.
    pub(super) async fn load(&self) -> Result<KeySet, Failure> {
        let late = |_| format!("they did not come within {} s", KEY_SET_DEADLINE.as_secs());
        timeout(KEY_SET_DEADLINE, self.load_patiently()).await.map_err(late)?
    }

    async fn load_patiently(&self) -> Result<KeySet, Failure> {
        match self {
            Self::Issuer(source) => Ok(source.load().await?),
            Self::Secrets(files) => {
                let files = files.clone();
                Ok(spawn_blocking(move || files.load()).await??)
            }
        }
    }
}
