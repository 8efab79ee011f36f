//! One file a kind of trap.

mod crash;
mod dead_link;
mod frozen;
mod locks;
mod opening;
mod replica;
mod standby;
