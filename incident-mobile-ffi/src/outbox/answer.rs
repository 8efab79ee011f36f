//! What one answer means for what was sent: the disposition first, then the status.

use incident_core::{Disposition, IdempotencyKey, Outcome, Status, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{
    entry::{Fault, ServerIncident, Trouble},
    protocol::WaitReason,
};

/// What is to be done about one entry, or about the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The contract's answer to this very entry.
    Settled(Option<ServerIncident>),
    /// Refused; the reporter is to be told.
    Quarantine(Trouble),
    /// Too many bytes or items.
    TooLarge(Trouble),
    /// The token is at fault.
    SignIn,
    /// Not now. A `strike` is a server error, the only failure that is counted against an entry.
    Wait { why: WaitReason, strike: bool, trouble: Option<Trouble> },
}

impl Verdict {
    /// Whether the server took it.
    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Settled(_))
    }
}

/// Judges the answer to the entry of `key`, or with `None` to a whole batch, which nothing settles as a whole.
pub(super) fn judge(status: i64, body: &Value, key: Option<IdempotencyKey>) -> Verdict {
    let said = body.get("disposition").and_then(Value::as_str).and_then(|word| word.parse().ok());
    if said == Some(Disposition::Settled) && matches!(status, 200 | 201) && names(body, key) {
        return Verdict::Settled(incident(body));
    }
    if status == 413 {
        return Verdict::TooLarge(trouble(status, body));
    }
    match said {
        Some(Disposition::Retry) => wait(status, WaitReason::ServerBusy, body),
        Some(Disposition::Reauth) => Verdict::SignIn,
        Some(Disposition::Quarantine) => Verdict::Quarantine(trouble(status, body)),
        Some(Disposition::Settled) | None => by_status(status, body),
    }
}

/// The table for answers without a readable disposition. HTML with a 4xx is judged by its status, too: a firewall
/// that refuses one report must not hold up the others.
fn by_status(status: i64, body: &Value) -> Verdict {
    match status {
        401 => Verdict::SignIn,
        404 | 405 => wait(status, WaitReason::WrongAddress, body),
        408 | 425 | 429 | 500..=599 => wait(status, WaitReason::ServerBusy, body),
        // A proxy that wants a password is no word of the server's.
        407 => wait(status, WaitReason::NotTheServer, body),
        400..=499 => Verdict::Quarantine(trouble(status, body)),
        _ => wait(status, WaitReason::NotTheServer, body),
    }
}

fn wait(status: i64, why: WaitReason, body: &Value) -> Verdict {
    let why = if matches!(status, 404 | 405) { WaitReason::WrongAddress } else { why };
    // 511: a network that wants a sign-in (RFC 6585, section 6), not the server.
    let strike = (500..=599).contains(&status) && status != 511;
    let said_so = strike || why == WaitReason::ServerBusy;
    Verdict::Wait { why, strike, trouble: said_so.then(|| trouble(status, body)) }
}

fn names(body: &Value, key: Option<IdempotencyKey>) -> bool {
    let named = body.get("idempotencyKey").and_then(Value::as_str).and_then(|text| text.parse().ok());
    key.is_some() && named == key
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

/// The incident of a success; `None` where a newer server writes it in a way that this version cannot read.
fn incident(body: &Value) -> Option<ServerIncident> {
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::unix_ms);
    let outcome: Outcome = body.get("outcome")?.as_str()?.parse().ok()?;
    let wire = WireIncident::deserialize(body.get("incident")?).ok()?;
    Some(ServerIncident {
        outcome,
        id: short(&wire.id),
        status: wire.status,
        received_at_ms: moment(&wire.received_at)?,
        clock_suspect: wire.clock_suspect,
        cancelled_at_ms: wire.cancelled_at.as_deref().and_then(moment),
        cancellation_reason: wire.cancellation_reason.as_deref().map(short),
    })
}

/// What an app can show of a failure; cut, since anybody on the network may have written it.
fn trouble(status: i64, body: &Value) -> Trouble {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(short);
    let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten().take(20);
    let slug = text("type").and_then(|kind| kind.strip_prefix("/problems/").map(str::to_owned));
    let fault = |error: &Value| {
        let fault = Fault::deserialize(error).ok()?;
        let Fault { pointer, code, detail } = &fault;
        Some(Fault { pointer: short(pointer), code: short(code), detail: short(detail) })
    };
    Trouble {
        status,
        problem: slug,
        detail: text("detail"),
        errors: list("errors").filter_map(fault).collect(),
        fields: list("fields").filter_map(|field| field.as_str().map(short)).collect(),
    }
}

fn short(text: &str) -> String {
    text.chars().take(1000).collect()
}

#[cfg(test)]
mod tests {
    use incident_core::Reporter;
    use serde_json::json;

    use super::*;

    fn key() -> IdempotencyKey {
        IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), Timestamp::MIN)
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
            assert!(waits(&verdict, WaitReason::NotTheServer, false), "{status} {body}: {verdict:?}");
        }
    }

    #[test]
    fn the_disposition_comes_before_the_status() {
        assert!(matches!(judge(500, &json!({"disposition": "quarantine"}), None), Verdict::Quarantine(_)));
        assert_eq!(judge(400, &json!({"disposition": "reauth"}), None), Verdict::SignIn);
        assert!(waits(&judge(400, &json!({"disposition": "retry"}), None), WaitReason::ServerBusy, false));
        assert!(matches!(judge(400, &json!({"disposition": "new word"}), None), Verdict::Quarantine(_)));
    }

    #[test]
    fn without_a_disposition_the_status_decides() {
        for status in [400, 402, 403, 409, 410, 415, 422, 451] {
            assert!(matches!(judge(status, &Value::Null, None), Verdict::Quarantine(_)), "{status}");
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
        assert_eq!(judge(401, &Value::Null, None), Verdict::SignIn);
        assert!(matches!(judge(413, &Value::Null, None), Verdict::TooLarge(_)));
    }

    #[test]
    fn a_problem_is_kept_in_short() {
        let body = json!({"type": "/problems/validation-failed", "detail": "x".repeat(5000), "disposition": "quarantine",
            "errors": [{"pointer": "/roomNumber", "code": "too-long", "detail": "d"}, 7], "fields": ["locationId"]});
        let Verdict::Quarantine(trouble) = judge(422, &body, None) else { panic!("no quarantine") };
        assert_eq!(trouble.problem.as_deref(), Some("validation-failed"));
        assert_eq!(trouble.detail.unwrap().len(), 1000);
        assert_eq!((trouble.errors.len(), trouble.fields.len()), (1, 1));
    }
}
