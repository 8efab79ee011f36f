//! Those who follow the history.

pub(crate) mod pages;
pub(crate) mod streams;
