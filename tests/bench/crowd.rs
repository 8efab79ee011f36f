//! The reporters: a token for each, signed with one kind of key.

use std::{fs, path::PathBuf, time::Duration};

use incident_server::{
    Clock,
    auth::{TokenRequest, mint_hs256},
};
use incident_tests::{Signer, claims};
use serde_json::json;
use tempfile::TempDir;

use crate::{Failure, extent::REPORTERS};

/// Long enough for a run.
const DAY: Duration = Duration::from_secs(24 * 3600);
const SECRET: &str = "a secret that only this benchmark knows";

/// Ten thousand tokens, and the flags of a server that takes them.
pub(crate) struct Crowd {
    folder: TempDir,
    flags: [String; 2],
}

impl Crowd {
    /// Under one shared secret.
    pub(crate) fn hs256() -> Result<Self, Failure> {
        let now = Clock::system().now();
        let crowd = Self::new("--auth-hs256-secret-file", SECRET)?;
        crowd.write_tokens(|sub| {
            let claims = TokenRequest { sub, scope: None, issuer: None, audience: None, ttl: DAY };
            mint_hs256(SECRET.as_bytes(), claims, now)
        })?;
        Ok(crowd)
    }

    /// Under the private key of a key set, `ES256` or `RS256`.
    pub(crate) fn of_key_set(algorithm: &str) -> Result<Self, Failure> {
        let signer = Signer::new(algorithm);
        let crowd = Self::new("--auth-jwks", &json!({ "keys": [signer.jwk("bench")] }).to_string())?;
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "bench" });
        crowd.write_tokens(|sub| {
            signer.sign(&header, &claims(&json!({ "sub": sub, "exp": DAY.as_secs() })))
        })?;
        Ok(crowd)
    }

    fn new(flag: &str, content: &str) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let file = folder.path().join("keys");
        fs::write(&file, content)?;
        // The server warns about a secret that others can read.
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self { flags: [flag.to_owned(), file.to_string_lossy().into_owned()], folder })
    }

    fn write_tokens(&self, token: impl Fn(&str) -> String) -> Result<(), Failure> {
        let lines: Vec<_> = (0..REPORTERS).map(|number| token(&format!("reporter-{number}"))).collect();
        Ok(fs::write(self.tokens(), lines.join("\n") + "\n")?)
    }

    /// The file of the tokens, one a line.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    /// What makes a server take them.
    pub(crate) fn flags(&self) -> [&str; 2] {
        self.flags.each_ref().map(String::as_str)
    }

    /// The file of the shared secret or of the key set.
    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }
}
