//! What must hold for any bytes at all, one module for each thing that is read from strangers or from a damaged file.
//! The fuzz targets call these functions with what the fuzzer makes up, the replay with what it kept.

mod answers;
mod batches;
mod cursors;
mod input;
mod payloads;
mod round_trips;
mod salvage;
mod timestamps;
mod tokens;

pub use answers::answers;
pub use batches::batches;
pub use cursors::cursors;
pub use payloads::payloads;
pub use round_trips::round_trips;
pub use salvage::salvage;
pub use timestamps::timestamps;
pub use tokens::tokens;
