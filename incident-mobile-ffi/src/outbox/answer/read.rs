//! What one answer means for what was sent: the disposition first, then the status.
//!
//! An answer is read into typed fields, never into a tree of values: one of 8 MiB once took 352 MB that way.

use std::fmt;

use incident_core::{Disposition, IdempotencyKey, Outcome, Problem as Slug, Status, Timestamp};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::super::{
    entry::{Incident, Problem, Violation},
    limits::{MAX_ANSWER_BYTES, MAX_DETAIL_CHARS, MAX_DETAILS},
    moment::Moment,
    upload::protocol::{SignInReason, WaitReason},
};

/// What is to be done about one entry, or about the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
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

impl Verdict {
    /// Whether the server took it.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Settled(_) | Self::Erased)
    }

    /// What is wrong with the token, if it is at fault.
    pub(crate) fn sign_in(&self) -> Option<SignInReason> {
        if let Self::SignIn(why, _) = self { Some(*why) } else { None }
    }
}

/// What is read of an answer; nothing of it where it is not the contract's.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Answer<'a> {
    http_status: Option<i64>,
    disposition: Option<String>,
    outcome: Option<String>,
    idempotency_key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    detail: Option<String>,
    #[serde(borrow)]
    incident: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

impl<'a> Answer<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Self {
        // serde would take an array for the fields in their order.
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if body.len() > MAX_ANSWER_BYTES || !is_object {
            return Self::default();
        }
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The answers of a batch of so many entries; none where there are fewer or more.
    pub(crate) fn results(&self, count: usize) -> Option<Vec<Self>> {
        let results = elements(self.results?, count + 1)?;
        let is_one_each = results.len() == count;
        is_one_each.then(|| results.iter().map(|result| Self::read(result.get().as_bytes())).collect())
    }

    pub(crate) fn http_status(&self) -> i64 {
        self.http_status.unwrap_or(0)
    }

    /// Whether it speaks the contract's language: whoever else sits on the way does not.
    pub(crate) fn is_ours(&self) -> bool {
        self.disposition.is_some() || self.slug().is_some()
    }

    fn slug(&self) -> Option<&str> {
        self.kind.as_deref()?.strip_prefix("/problems/")
    }

    fn is(&self, slug: Slug) -> bool {
        self.slug() == Some(slug.as_str())
    }

    fn names(&self, key: Option<IdempotencyKey>) -> bool {
        let named = self.idempotency_key.as_deref().and_then(|text| text.parse().ok());
        key.is_some() && named == key
    }

    /// The incident of a success; `None` where a newer server writes it in a way that this version cannot read.
    fn incident(&self) -> Option<Incident> {
        let moment = |text: &str| text.parse::<Timestamp>().ok().map(|moment| Moment(moment.unix_ms()));
        let outcome: Outcome = self.outcome.as_deref()?.parse().ok()?;
        let wire: WireIncident = serde_json::from_str(self.incident?.get()).ok()?;
        Some(Incident {
            outcome,
            id: short(&wire.id),
            status: wire.status,
            received_at: moment(&wire.received_at)?,
            clock_suspect: wire.clock_suspect,
            cancelled_at: wire.cancelled_at.as_deref().and_then(moment),
            cancellation_reason: wire.cancellation_reason.as_deref().map(short),
        })
    }

    /// What an app can show of a failure; cut, since anybody on the network may have written it.
    fn problem(&self, status: i64) -> Problem {
        Problem {
            status,
            slug: self.slug().map(short),
            detail: self.detail.as_deref().map(short),
            errors: first::<Violation>(self.errors)
                .into_iter()
                .map(|Violation { pointer, code, detail }| Violation {
                    pointer: short(&pointer),
                    code: short(&code),
                    detail: short(&detail),
                })
                .collect(),
            fields: first::<String>(self.fields).iter().map(|field| short(field)).collect(),
        }
    }
}

/// The first elements of a list, those left out that are of another kind.
fn first<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let elements = list.and_then(|list| elements(list, MAX_DETAILS)).unwrap_or_default();
    elements.into_iter().filter_map(|element| serde_json::from_str(element.get()).ok()).collect()
}

/// The first elements of a list, at most so many: a list of half a million ones would take a hundred times its length.
fn elements(list: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    struct First(usize);

    impl<'de> Visitor<'de> for First {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut first = Vec::new();
            while first.len() < self.0
                && let Some(element) = list.next_element()?
            {
                first.push(element);
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }

    serde_json::Deserializer::from_str(list.get()).deserialize_seq(First(most)).ok()
}

/// Judges the answer to the entry of `key`, or with `None` to a whole batch, which nothing settles as a whole.
pub(crate) fn judge(status: i64, answer: &Answer<'_>, key: Option<IdempotencyKey>) -> Verdict {
    let said = answer.disposition.as_deref().and_then(|word| word.parse().ok());
    if said == Some(Disposition::Settled) && matches!(status, 200 | 201) && answer.names(key) {
        let erased = answer.outcome.as_deref() == Some(Outcome::Erased.as_str());
        return if erased { Verdict::Erased } else { Verdict::Settled(answer.incident()) };
    }
    let problem = answer.problem(status);
    if answer.is(Slug::IdempotencyKeyMismatch) {
        return Verdict::SignIn(SignInReason::WrongReporter, problem);
    }
    if answer.is(Slug::Forbidden) {
        return Verdict::SignIn(SignInReason::Forbidden, problem);
    }
    if status == 413 {
        return Verdict::TooLarge { problem, ours: answer.is_ours() };
    }
    match said {
        Some(Disposition::Retry) => wait(status, WaitReason::ServerBusy, problem),
        Some(Disposition::Reauth) => Verdict::SignIn(SignInReason::Unauthorized, problem),
        Some(Disposition::Quarantine) => Verdict::Quarantine(problem),
        Some(Disposition::Settled) | None => by_status(status, answer, problem),
    }
}

/// The table for answers without a readable disposition. A 2xx, 3xx or 4xx that is not ours is somebody else's on the
/// way, a portal or a firewall: it is waited out, and counted against an entry that alone draws it.
fn by_status(status: i64, answer: &Answer<'_>, problem: Problem) -> Verdict {
    match status {
        401 => Verdict::SignIn(SignInReason::Unauthorized, problem),
        404 | 405 => wait(status, WaitReason::WrongAddress, problem),
        408 | 425 | 429 | 500..=599 => wait(status, WaitReason::ServerBusy, problem),
        // A proxy that wants a password is no word of the server's.
        400..=406 | 409..=499 if answer.is_ours() => Verdict::Quarantine(problem),
        _ => not_ours(problem),
    }
}

/// Somebody else refuses a request.
pub(crate) fn not_ours(problem: Problem) -> Verdict {
    Verdict::Wait { why: WaitReason::NotTheServer, strike: true, problem: Some(problem) }
}

fn wait(status: i64, why: WaitReason, problem: Problem) -> Verdict {
    let why = if matches!(status, 404 | 405) { WaitReason::WrongAddress } else { why };
    // 511: a network that wants a sign-in (RFC 6585, section 6), not the server.
    let strike = (500..=599).contains(&status) && status != 511;
    let said_so = strike || why == WaitReason::ServerBusy;
    Verdict::Wait { why, strike, problem: said_so.then_some(problem) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIncident {
    id: String,
    status: Status,
    received_at: String,
    #[serde(default)]
    clock_suspect: bool,
    cancelled_at: Option<String>,
    cancellation_reason: Option<String>,
}

fn short(text: &str) -> String {
    text.chars().take(MAX_DETAIL_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use incident_core::Reporter;
    use serde_json::{Value, json};

    use super::*;

    fn key() -> IdempotencyKey {
        IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), Timestamp::MIN)
    }

    fn judge(status: i64, body: &Value, key: Option<IdempotencyKey>) -> Verdict {
        super::judge(status, &Answer::read(body.to_string().as_bytes()), key)
    }

    fn asks_for_a_token(verdict: &Verdict, why: SignInReason) -> bool {
        verdict.sign_in() == Some(why)
    }

    fn waits(verdict: &Verdict, expected: WaitReason, strikes: bool) -> bool {
        matches!(verdict, Verdict::Wait { why, strike, .. } if *why == expected && *strike == strikes)
    }

    #[test]
    fn only_this_entrys_own_settled_answer_settles_it() {
        let ours = json!({"disposition": "settled", "idempotencyKey": key()});
        assert_eq!(judge(201, &ours, Some(key())), Verdict::Settled(None));
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
            let verdict = judge(status, body, key);
            assert!(waits(&verdict, WaitReason::NotTheServer, true), "{status} {body}: {verdict:?}");
        }
    }

    #[test]
    fn the_disposition_comes_before_the_status() {
        assert!(matches!(judge(500, &json!({"disposition": "quarantine"}), None), Verdict::Quarantine(_)));
        assert!(asks_for_a_token(
            &judge(400, &json!({"disposition": "reauth"}), None),
            SignInReason::Unauthorized
        ));
        assert!(waits(&judge(400, &json!({"disposition": "retry"}), None), WaitReason::ServerBusy, false));
        assert!(matches!(judge(400, &json!({"disposition": "new word"}), None), Verdict::Quarantine(_)));
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
        assert_eq!(judge(200, &erased, Some(key())), Verdict::Erased);
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
            assert!(matches!(judge(status, &ours, None), Verdict::Quarantine(_)), "{status}");
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
        assert!(matches!(judge(413, &Value::Null, None), Verdict::TooLarge { ours: false, .. }));
    }

    #[test]
    fn a_problem_is_kept_in_short() {
        let body = json!({"type": "/problems/validation-failed", "detail": "x".repeat(5000), "disposition": "quarantine",
            "errors": [{"pointer": "/roomNumber", "code": "too-long", "detail": "d"}, 7], "fields": ["locationId"]});
        let Verdict::Quarantine(problem) = judge(422, &body, None) else { panic!("no quarantine") };
        assert_eq!(problem.slug.as_deref(), Some("validation-failed"));
        assert_eq!(problem.detail.unwrap().len(), 1000);
        assert_eq!((problem.errors.len(), problem.fields.len()), (1, 1));
    }
}
