//! Token to caller: who asks, and what they may see.

mod caller;
mod current_keys;
mod jwks;
mod key_source;
mod keys;
mod mint;
mod secret_files;
mod verify;

pub(crate) use caller::RequestPermit;
pub use caller::{Caller, ERASE_SCOPE, READ_SCOPE};
pub(crate) use current_keys::KeySetState;
pub use jwks::{JwksError, JwksSource, OidcIssuer};
pub use mint::{TokenRequest, mint_hs256};
pub use secret_files::SecretFiles;
pub use verify::{TokenError, Verifier};
