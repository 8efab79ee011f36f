//! What passes between an outbox and the server.

use std::fmt;

/// A header of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Header {
    /// In any letter case.
    pub name: String,
    /// As it stands on the wire.
    pub value: String,
}

/// What of an upload reaches a server; whose token comes with it is the test's to say.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Request {
    /// Below the server's address.
    pub path: String,
    /// All but `Authorization`.
    pub headers: Vec<Header>,
    /// Whatever stands in it.
    pub body: Vec<u8>,
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
#[uniffi::export(Debug)]
pub enum Answer {
    /// The server, or a firewall in its place, answered.
    Response {
        /// Of HTTP.
        status: i64,
        /// Its kind, and what it asks for.
        headers: Vec<Header>,
        /// JSON, but for a firewall's.
        body: Vec<u8>,
    },
    /// No answer came.
    NetworkFailure {
        /// How the network failed.
        kind: FailureKind,
        /// In words.
        detail: String,
        /// Whether the request may have left the device.
        sent: bool,
    },
}

/// How a network fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum FailureKind {
    /// There is none.
    Offline,
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Other,
}

// What people wrote is shown by no log.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, .. } => {
                f.debug_struct("Response").field("status", status).finish_non_exhaustive()
            }
            Self::NetworkFailure { kind, .. } => {
                f.debug_struct("NetworkFailure").field("kind", kind).finish_non_exhaustive()
            }
        }
    }
}
