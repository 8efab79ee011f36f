//! What passes between the queue and whoever sends for it.

/// A header of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// In any letter case.
    pub name: String,
    /// As it stands on the wire.
    pub value: String,
}

/// A request for the platform to send, once it has added the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// To be handed back with the answer.
    pub id: i64,
    /// `POST`.
    pub method: &'static str,
    /// Below the server's address.
    pub path: &'static str,
    /// All but `Authorization`.
    pub headers: Vec<Header>,
    /// JSON, UTF-8.
    pub body: String,
    /// After how long without an answer to give up.
    pub timeout_ms: i64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextUpload {
    /// Send this and hand back what came of it.
    Send(Upload),
    /// Nothing before this moment.
    Wait {
        /// In ms since 1970.
        until_ms: i64,
        /// What is being waited for.
        why: WaitReason,
    },
    /// Nothing before there is a new token.
    SignIn,
    /// Nothing to send.
    Idle,
}

/// What the queue waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl WaitReason {
    const ALL: [Self; 5] =
        [Self::Offline, Self::NotTheServer, Self::ServerBusy, Self::WrongAddress, Self::AnotherSender];

    pub(super) fn number(self) -> i64 {
        self as i64
    }

    pub(super) fn from_number(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or(Self::Offline)
    }
}

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that this answer settled.
    pub settled: i64,
    /// Entries that this answer sent into quarantine.
    pub quarantined: i64,
    /// Entries of this reporter that are still to go.
    pub pending: i64,
}
