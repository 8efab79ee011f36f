//! Token to caller: who asks, and what they may see.

mod in_force;
mod jwks;
mod keys;
mod mint;
mod secret_files;
mod verify;

use std::sync::Arc;

use incident_core::Reporter;

pub use jwks::{JwksError, JwksSource, OidcIssuer};
pub use mint::{TokenRequest, mint_hs256};
pub use secret_files::SecretFiles;
pub use verify::{Refused, Verifier};

/// The scope that allows reading the incidents of others.
pub const READ_SCOPE: &str = "incidents:read";

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's `sub`.
    pub reporter: Arc<Reporter>,
    /// Whether the token has the scope `incidents:read`.
    pub may_read_all: bool,
    /// Until when the token is taken, in milliseconds since 1970; the leeway is in it.
    pub expires_at_ms: i64,
    /// The key under which the token was verified.
    pub(crate) signed_with: keys::SignedWith,
}
