//! Who reports, with which token, and what was promised to them.

use incident_core::{Draft, IdempotencyKey, Timestamp};

use crate::server::token;

/// The people of a world.
pub(crate) const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Which token an app has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Good,
    None,
    Expired,
    /// Under a secret that the server does not know yet, or no more.
    UnknownKey,
    /// Another person's, after a sign-in that the app did not notice.
    Foreign,
}

impl Token {
    /// As it stands in a request of this person.
    pub(crate) fn text(self, person: usize, secret: u8, now: Timestamp) -> Option<String> {
        let earlier = Timestamp::from_unix_ms(now.unix_ms() - 7_200_000).unwrap_or(Timestamp::MIN);
        match self {
            Self::Good => Some(token(NAMES[person], None, secret, now)),
            Self::None => None,
            Self::Expired => Some(token(NAMES[person], None, secret, earlier)),
            Self::UnknownKey => Some(token(NAMES[person], None, secret + 1, now)),
            Self::Foreign => Some(token(NAMES[(person + 1) % NAMES.len()], None, secret, now)),
        }
    }
}

/// A report that an outbox accepted.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    pub(crate) person: usize,
    pub(crate) device: usize,
    pub(crate) location: String,
    pub(crate) report: NewReportFacts,
    /// Absent where the process was killed before it could say.
    pub(crate) key: Option<IdempotencyKey>,
    /// Why it was called off, if that was accepted.
    pub(crate) reason: Option<String>,
    /// Its reporter was told why it did not go, and threw it away.
    pub(crate) is_discarded: bool,
    /// A disk failed while it was made: the outbox refused it, and it may be there.
    pub(crate) is_doubtful: bool,
    /// Why it was to be called off when a disk failed.
    pub(crate) doubtful_reason: Option<String>,
}

/// What a report says, as far as it is told apart by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NewReportFacts {
    pub(crate) is_anonymous: bool,
    pub(crate) longitude_e7: i32,
}

/// The report of this number.
pub(crate) fn report(number: usize, rng: &mut fastrand::Rng, now_ms: i64) -> Draft {
    let moment = match rng.u8(..10) {
        0 => Some(now_ms - rng.i64(0..3)), // two tablets of one account at one moment
        1 => Some(now_ms - now_ms % 1000),
        2 => Some(now_ms - rng.i64(0..90 * 86_400_000)),
        _ => None,
    };
    Draft {
        location_id: location(number),
        room_number: rng.bool().then(|| "12B".to_owned()),
        longitude: f64::from(longitude(number)),
        latitude: 41.89,
        is_anonymous: rng.u8(..3) == 0,
        created_at_ms: moment.map(|moment| moment.max(0)),
        cancellation_reason: (rng.u8(..8) == 0).then(|| "at once".to_owned()),
    }
}

/// No two reports are of one place, and no place's name is part of another's.
pub(crate) fn location(number: usize) -> String {
    format!("location#{number:04}#")
}

pub(crate) fn longitude(number: usize) -> i16 {
    i16::try_from(number % 360).unwrap_or(0) - 180
}
