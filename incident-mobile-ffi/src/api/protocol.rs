//! What passes between the queue and whoever sends for it.

use super::records::Moment;

/// A header of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Header {
    /// In any letter case.
    pub name: String,
    /// As it stands on the wire.
    pub value: String,
}

/// A request for the platform to send, once it has added the token.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Upload {
    /// To be handed back with the answer.
    pub id: i64,
    /// `POST`.
    pub method: String,
    /// Below the server's address.
    pub path: String,
    /// All but `Authorization`.
    pub headers: Vec<Header>,
    /// JSON, UTF-8.
    pub body: Vec<u8>,
    /// After how long without an answer to give up.
    pub timeout_ms: i64,
}

/// What the queue waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WaitReason {
    /// The network.
    Offline,
    /// Somebody else answered: a captive portal, a proxy.
    NotTheServer,
    /// The server asks for patience or has trouble of its own.
    ServerBusy,
    /// The address is wrong, or the server is too old for it.
    WrongAddress,
    /// An upload that is under way, here or in another process.
    AnotherSender,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum NextUpload {
    /// Send this and hand back what came of it.
    Send {
        /// The request.
        upload: Upload,
    },
    /// Nothing before this moment.
    Wait {
        /// Ask again then, or sooner at the user's wish.
        until: Moment,
        /// What is being waited for.
        why: WaitReason,
    },
    /// Nothing before there is a new token.
    SignIn,
    /// Nothing to send.
    Idle,
}

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum UploadResult {
    /// The server, or somebody in its place, answered.
    Response {
        /// The HTTP status.
        status: i64,
        /// As received.
        headers: Vec<Header>,
        /// As received.
        body: Vec<u8>,
    },
    /// No answer: no network, no address, a time-out, a broken connection.
    NetworkFailure,
    /// The app did not want to wait for the answer.
    Cancelled,
}

/// What one answer did, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Progress {
    /// Entries that this answer settled.
    pub settled: i64,
    /// Entries that this answer sent into quarantine.
    pub quarantined: i64,
    /// Entries of this reporter that are still to go.
    pub pending: i64,
}
