//! The next request: which entries go, in which form, and when.

pub(crate) mod batch_size;
pub(crate) mod in_flight;
pub(crate) mod lease;
mod next;
pub(crate) mod pace;
mod pick;
pub(crate) mod protocol;
mod request;
pub(crate) mod spacing;

pub use protocol::{
    Header, NetworkFailureKind, NextUpload, Progress, SignInReason, Upload, UploadResult, WaitReason,
};
pub use request::{BATCH_PATH, SYNC_PATH};
pub use spacing::Spacing;
