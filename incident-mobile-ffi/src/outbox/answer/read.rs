//! What one answer means for what was sent: the disposition first, then the status.

use incident_core::{Disposition, IdempotencyKey, Problem as Slug};

use super::{
    super::{
        entry::{Incident, Problem},
        upload::protocol::{SignInReason, WaitReason},
    },
    fields::Answer,
};

/// What is to be done about one entry, or about the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The contract's answer to this very entry.
    Settled(Option<Incident>),
    /// The server has erased the incident: it is to be erased here, too.
    Erased,
    /// Refused; the reporter is to be told.
    Quarantine(Problem),
    /// Too many bytes or items; `ours` where the server itself says so.
    TooLarge { problem: Problem, ours: bool },
    /// The token is at fault. The problem is kept for an entry that alone is told so.
    SignIn(SignInReason, Problem),
    /// Not now. A `strike` is counted against an entry that draws it alone while others succeed.
    Wait { why: WaitReason, strike: bool, problem: Option<Problem> },
}

impl Consequence {
    /// Whether the server took it.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Settled(_) | Self::Erased)
    }

    /// What is wrong with the token, if it is at fault.
    pub(crate) fn sign_in(&self) -> Option<SignInReason> {
        if let Self::SignIn(why, _) = self { Some(*why) } else { None }
    }
}

/// Judges the answer to the entry of `key`, or with `None` to a whole batch, which nothing settles as a whole.
pub(crate) fn judge(status: i64, answer: &Answer<'_>, key: Option<IdempotencyKey>) -> Consequence {
    let said = answer.disposition();
    if said == Some(Disposition::Settled) && matches!(status, 200 | 201) && answer.names(key) {
        return if answer.says_erased() {
            Consequence::Erased
        } else {
            Consequence::Settled(answer.incident())
        };
    }
    let problem = answer.problem(status);
    if answer.is(Slug::IdempotencyKeyMismatch) {
        return Consequence::SignIn(SignInReason::WrongReporter, problem);
    }
    if answer.is(Slug::Forbidden) {
        return Consequence::SignIn(SignInReason::Forbidden, problem);
    }
    if status == 413 {
        return Consequence::TooLarge { problem, ours: answer.is_ours() };
    }
    match said {
        Some(Disposition::Retry) => wait(status, WaitReason::ServerBusy, problem),
        Some(Disposition::Reauth) => Consequence::SignIn(SignInReason::Unauthorized, problem),
        Some(Disposition::Quarantine) => Consequence::Quarantine(problem),
        Some(Disposition::Settled) | None => by_status(status, answer, problem),
    }
}

/// The table for answers without a readable disposition. A 2xx, 3xx or 4xx that is not ours is somebody else's on the
/// way, a portal or a firewall: it is waited out, and counted against an entry that alone draws it.
fn by_status(status: i64, answer: &Answer<'_>, problem: Problem) -> Consequence {
    match status {
        401 => Consequence::SignIn(SignInReason::Unauthorized, problem),
        404 | 405 => wait(status, WaitReason::WrongAddress, problem),
        408 | 425 | 429 | 500..=599 => wait(status, WaitReason::ServerBusy, problem),
        // A proxy that wants a password is no word of the server's.
        400..=406 | 409..=499 if answer.is_ours() => Consequence::Quarantine(problem),
        _ => not_ours(problem),
    }
}

/// Somebody else refuses a request.
pub(crate) fn not_ours(problem: Problem) -> Consequence {
    Consequence::Wait { why: WaitReason::NotTheServer, strike: true, problem: Some(problem) }
}

fn wait(status: i64, why: WaitReason, problem: Problem) -> Consequence {
    let why = if matches!(status, 404 | 405) { WaitReason::WrongAddress } else { why };
    // 511: a network that wants a sign-in (RFC 6585, section 6), not the server.
    let strike = (500..=599).contains(&status) && status != 511;
    let said_so = strike || why == WaitReason::ServerBusy;
    Consequence::Wait { why, strike, problem: said_so.then_some(problem) }
}

#[cfg(test)]
mod tests {
    use incident_core::{Reporter, Timestamp};
    use serde_json::{Value, json};

    use super::{super::super::limits::MAX_ANSWER_BYTES, *};

    fn key() -> IdempotencyKey {
        IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), Timestamp::MIN)
    }

    fn judge(status: i64, body: &Value, key: Option<IdempotencyKey>) -> Consequence {
        super::judge(status, &Answer::read(body.to_string().as_bytes()), key)
    }

    fn asks_for_a_token(consequence: &Consequence, why: SignInReason) -> bool {
        consequence.sign_in() == Some(why)
    }

    fn waits(consequence: &Consequence, expected: WaitReason, strikes: bool) -> bool {
        matches!(consequence, Consequence::Wait { why, strike, .. } if *why == expected && *strike == strikes)
    }

    #[test]
    fn only_this_entrys_own_settled_answer_settles_it() {
        let ours = json!({"disposition": "settled", "idempotencyKey": key()});
        assert_eq!(judge(201, &ours, Some(key())), Consequence::Settled(None));
        let other =
            json!({"disposition": "settled", "idempotencyKey": "01a202c0-f648-81b8-95f2-469ecf9e3f4e"});
        for (status, body, key) in [
            (200, &other, Some(key())),
            (202, &ours, Some(key())),
            (200, &ours, None),
            (200, &json!({"idempotencyKey": key()}), Some(key())),
            (204, &Value::Null, Some(key())),
            (302, &Value::Null, Some(key())),
        ] {
            let consequence = judge(status, body, key);
            assert!(waits(&consequence, WaitReason::NotTheServer, true), "{status} {body}: {consequence:?}");
        }
    }

    #[test]
    fn the_disposition_comes_before_the_status() {
        assert!(matches!(
            judge(500, &json!({"disposition": "quarantine"}), None),
            Consequence::Quarantine(_)
        ));
        assert!(asks_for_a_token(
            &judge(400, &json!({"disposition": "reauth"}), None),
            SignInReason::Unauthorized
        ));
        assert!(waits(&judge(400, &json!({"disposition": "retry"}), None), WaitReason::ServerBusy, false));
        assert!(matches!(judge(400, &json!({"disposition": "new word"}), None), Consequence::Quarantine(_)));
    }

    #[test]
    fn a_token_that_lacks_the_scope_or_is_another_persons_is_no_entrys_fault() {
        let forbidden = json!({"type": "/problems/forbidden", "disposition": "quarantine"});
        assert!(asks_for_a_token(&judge(403, &forbidden, None), SignInReason::Forbidden));
        let mismatch = json!({"type": "/problems/idempotency-key-mismatch", "disposition": "quarantine"});
        assert!(asks_for_a_token(&judge(422, &mismatch, Some(key())), SignInReason::WrongReporter));
    }

    #[test]
    fn what_the_server_erased_is_to_be_erased_here() {
        let erased = json!({"disposition": "settled", "outcome": "erased", "idempotencyKey": key()});
        assert_eq!(judge(200, &erased, Some(key())), Consequence::Erased);
    }

    #[test]
    fn an_answer_that_is_no_text_is_not_read_wherever_it_is_none() {
        let settled = json!({"disposition": "settled", "idempotencyKey": key(), "new": "?"}).to_string();
        let judge = |body: &[u8]| super::judge(200, &Answer::read(body), Some(key()));
        assert_eq!(judge(settled.as_bytes()), Consequence::Settled(None));
        let damaged: Vec<_> = settled.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
        assert!(waits(&judge(&damaged), WaitReason::NotTheServer, true));
    }

    #[test]
    fn an_answer_of_more_than_1_mib_and_an_array_are_not_read() {
        let settled =
            json!({"disposition": "settled", "idempotencyKey": key(), "x": "y".repeat(MAX_ANSWER_BYTES)});
        assert!(waits(&judge(200, &settled, Some(key())), WaitReason::NotTheServer, true));
        assert!(waits(&judge(200, &json!([200, "settled"]), Some(key())), WaitReason::NotTheServer, true));
    }

    #[test]
    fn without_a_disposition_the_status_decides() {
        let ours = json!({"type": "/problems/new-problem"});
        for status in [400, 402, 403, 409, 410, 415, 422, 451] {
            assert!(matches!(judge(status, &ours, None), Consequence::Quarantine(_)), "{status}");
            assert!(waits(&judge(status, &Value::Null, None), WaitReason::NotTheServer, true), "{status}");
        }
        for status in [408, 425, 429] {
            assert!(waits(&judge(status, &Value::Null, None), WaitReason::ServerBusy, false), "{status}");
        }
        for status in [500, 502, 503, 504, 599] {
            assert!(waits(&judge(status, &Value::Null, None), WaitReason::ServerBusy, true), "{status}");
        }
        for status in [404, 405] {
            assert!(waits(&judge(status, &Value::Null, None), WaitReason::WrongAddress, false), "{status}");
        }
        assert!(asks_for_a_token(&judge(401, &Value::Null, None), SignInReason::Unauthorized));
        assert!(matches!(judge(413, &Value::Null, None), Consequence::TooLarge { ours: false, .. }));
    }

    #[test]
    fn a_problem_is_kept_in_short() {
        let body = json!({"type": "/problems/validation-failed", "detail": "x".repeat(5000), "disposition": "quarantine",
            "errors": [{"pointer": "/roomNumber", "code": "too-long", "detail": "d"}, 7], "fields": ["locationId"]});
        let Consequence::Quarantine(problem) = judge(422, &body, None) else { panic!("no quarantine") };
        assert_eq!(problem.slug.as_deref(), Some("validation-failed"));
        assert_eq!(problem.detail.unwrap().len(), 1000);
        assert_eq!((problem.errors.len(), problem.fields.len()), (1, 1));
    }
}
