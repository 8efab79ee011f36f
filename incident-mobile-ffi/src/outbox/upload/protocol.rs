//! What passes between the queue and whoever sends for it.

use std::fmt;

use super::super::moment::Moment;

/// A header of a request or an answer.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Header {
    /// In any letter case.
    pub name: String,
    /// As it stands on the wire.
    pub value: String,
}

/// A request for the platform to send, once it has added the token.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Upload {
    /// To be handed back with the answer.
    pub id: i64,
    /// `POST`.
    pub method: String,
    /// Below the server's address.
    pub path: String,
    /// All but `Authorization`. With `Connection: close` among them, which anonymous reports have, the request goes on
    /// a connection of its own: on none that was used before, and on none that is used again.
    pub headers: Vec<Header>,
    /// JSON, UTF-8.
    pub body: Vec<u8>,
    /// After how long without an answer to give up.
    pub timeout_ms: i64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
#[uniffi::export(Debug)]
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
        /// The same in words for a log: never a token or a text of a report.
        detail: String,
    },
    /// Nothing before there is a new token.
    SignIn {
        /// What is wrong with the token.
        why: SignInReason,
        /// The same in words for a log: never a token or a text of a report.
        detail: String,
    },
    /// Nothing to send.
    Idle,
}

/// What the queue waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WaitReason {
    /// There is no network.
    Offline,
    /// Somebody else answered: a captive portal, a firewall, a proxy.
    NotTheServer,
    /// The server asks for patience or has a problem of its own.
    ServerBusy,
    /// The address is wrong, or the server is too old for it.
    WrongAddress,
    /// An upload that is under way, here or in another process.
    AnotherSender,
    /// No secure connection: a certificate, or somebody in between.
    Tls,
    /// The server's machine takes no connection.
    Refused,
    /// There was no answer in time.
    TimedOut,
    /// The connection failed in another way.
    NoAnswer,
    /// An anonymous report keeps its distance from the named one that was sent before it.
    Spacing,
}

impl WaitReason {
    const ALL: [Self; 10] = [
        Self::Offline,
        Self::NotTheServer,
        Self::ServerBusy,
        Self::WrongAddress,
        Self::AnotherSender,
        Self::Tls,
        Self::Refused,
        Self::TimedOut,
        Self::NoAnswer,
        Self::Spacing,
    ];

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn from_number(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or(Self::Offline)
    }

    /// Whether there was no answer at all.
    pub(crate) fn is_no_answer(self) -> bool {
        matches!(self, Self::Offline | Self::Tls | Self::Refused | Self::TimedOut | Self::NoAnswer)
    }

    /// In words, for a log.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Offline => "there is no network",
            Self::NotTheServer => "somebody else answered in the server's place",
            Self::ServerBusy => "the server asks for patience",
            Self::WrongAddress => "there is no incident server at this address",
            Self::AnotherSender => "an upload is under way",
            Self::Tls => "there is no secure connection to the server",
            Self::Refused => "the server takes no connection",
            Self::TimedOut => "the server did not answer in time",
            Self::NoAnswer => "the connection to the server failed",
            Self::Spacing => "an anonymous report keeps its distance from the named one before it",
        }
    }
}

/// What is wrong with the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SignInReason {
    /// There is none, or it is bad or expired.
    Unauthorized,
    /// It does not allow what is asked: another token may.
    Forbidden,
    /// It is another person's than the outbox was opened for. Nothing was stored under that name.
    WrongReporter,
}

impl SignInReason {
    /// In words, for a log.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Unauthorized => "the server wants a valid access token",
            Self::Forbidden => "the access token does not allow to report",
            Self::WrongReporter => "the access token is not that of the reporter whose entries these are",
        }
    }
}

/// How a network fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkFailureKind {
    /// No network, or no name server.
    Offline,
    /// No secure connection: a certificate, or somebody in between.
    Tls,
    /// The server's machine takes no connection.
    Refused,
    /// No answer in time.
    TimedOut,
    /// Anything else, such as a connection that broke.
    Other,
}

impl NetworkFailureKind {
    /// In words, for a log.
    pub(crate) fn words(self) -> &'static str {
        self.why().words()
    }

    pub(crate) fn why(self) -> WaitReason {
        match self {
            Self::Offline => WaitReason::Offline,
            Self::Tls => WaitReason::Tls,
            Self::Refused => WaitReason::Refused,
            Self::TimedOut => WaitReason::TimedOut,
            Self::Other => WaitReason::NoAnswer,
        }
    }
}

/// What came of an upload.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
#[uniffi::export(Debug)]
pub enum UploadResult {
    /// The server, or somebody in its place, answered.
    Response {
        /// The HTTP status.
        status: i64,
        /// As received.
        headers: Vec<Header>,
        /// As received; of one that is longer than 1 MiB no more need be read than shows that.
        body: Vec<u8>,
    },
    /// No answer: no network, no address, a time-out, a broken connection.
    NetworkFailure {
        /// How it failed.
        kind: NetworkFailureKind,
        /// What the platform says about it, for a log: never a token.
        detail: String,
        /// Whether the request may have left the device.
        sent: bool,
    },
    /// The app did not want to wait for the answer.
    Cancelled,
}

/// What one answer did, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, uniffi::Record)]
pub struct Progress {
    /// Entries that this answer settled.
    pub settled: i64,
    /// Entries that this answer sent into quarantine.
    pub quarantined: i64,
    /// Entries of this reporter that are still to go.
    pub pending: i64,
}

// A value may be a token, or the key of an anonymous report: no log shows one.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).finish_non_exhaustive()
    }
}

// A body holds what people wrote: no log shows one.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("id", &self.id)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UploadResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, body, .. } => f
                .debug_struct("Response")
                .field("status", status)
                .field("bytes", &body.len())
                .finish_non_exhaustive(),
            Self::NetworkFailure { kind, sent, .. } => f
                .debug_struct("NetworkFailure")
                .field("kind", kind)
                .field("sent", sent)
                .finish_non_exhaustive(),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}
