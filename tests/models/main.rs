//! Models of what many do at once, looked through in every order: each keeps its promise, and with one guard taken away
//! it does not.

mod feed;
mod lease;
mod promise;
mod queue;
mod repair;
