//! One file a kind of trap.

pub(crate) mod crash;
mod dead_link;
mod frozen;
pub(crate) mod locks;
mod opening;
mod replica;
pub(crate) mod rights;
pub(crate) mod standby;
