//! Where the shared secrets of HS256 tokens come from.

use std::path::PathBuf;

use super::keys::KeySet;
use crate::secrets::{self, SecretError};

/// The files of the secrets, read at the start and again when the operator says so.
#[derive(Debug, Clone)]
pub(crate) struct SecretFiles {
    /// The secret that tokens are signed with.
    pub current: PathBuf,
    /// The one before, which is taken as long as tokens under it are about.
    pub previous: Option<PathBuf>,
}

impl SecretFiles {
    pub(super) fn load(&self) -> Result<KeySet, SecretError> {
        let current = secrets::read(&self.current)?;
        let previous = self.previous.as_deref().map(secrets::read).transpose()?;
        let all: Vec<&[u8]> =
            [Some(&current), previous.as_ref()].into_iter().flatten().map(Vec::as_slice).collect();
        Ok(KeySet::hs256(&all))
    }
}
