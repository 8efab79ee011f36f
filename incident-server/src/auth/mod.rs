//! Token to caller: who asks, and what they may see.

mod caller;
mod claims;
mod current_keys;
mod jwks;
mod key_source;
mod keys;
mod mint;
mod secret_files;
mod verify;

pub use caller::READ_SCOPE;
pub(crate) use caller::RequestPermit;
pub(crate) use caller::{Caller, ERASE_SCOPE};
pub(crate) use current_keys::KeySetState;
pub use jwks::{JwksError, JwksSource, OidcIssuer};
pub use mint::{TokenRequest, mint_hs256};
pub(crate) use secret_files::SecretFiles;
pub(crate) use verify::TokenError;
pub use verify::Verifier;
