//! What a phone reads of an answer that anybody on the way may have written.

use std::sync::LazyLock;

use incident_core::{IdempotencyKey, Reporter, Timestamp};
use incident_mobile_ffi::outbox::{
    Header, Problem, SignInReason,
    fuzzing::{Verdict, Verdicts, answer},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::input::Input;

/// The keys of what was sent: derived for alice, from the first millisecond on.
static KEYS: LazyLock<[IdempotencyKey; 4]> = LazyLock::new(|| {
    let alice = Reporter::parse("alice").expect("a name");
    [0, 1, 2, 3].map(|ms| IdempotencyKey::derive(&alice, Timestamp::from_unix_ms(ms).expect("a moment")))
});

/// Only the server's own word, with an entry's own key in it, settles that entry; what is kept of an answer is short.
///
/// # Panics
/// It does not hold.
pub fn answers(data: &[u8]) {
    let mut input = Input(data);
    let (shape, status) = (input.byte(), u16::from_le_bytes(input.number()) % 600);
    let entries: Vec<_> =
        KEYS.iter().copied().zip([shape & 4 != 0; 4]).take(usize::from(shape & 3) + 1).collect();
    let headers = if shape & 8 == 0 {
        Vec::new()
    } else {
        vec![header("Retry-After", &mut input), header("Date", &mut input)]
    };
    let body = input.0;
    let verdicts = answer(&entries, status.into(), headers, body.to_vec());
    is_about_these(&verdicts, entries.len());
    let text = str::from_utf8(body).ok().filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    // Fields that nobody asks for may hold what no tree of values does: half a character, a number beyond all doubles.
    let tree = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    for (at, verdict) in &verdicts.entries {
        match verdict {
            Verdict::Settled | Verdict::Erased => {
                assert!(text.is_some(), "what is no JSON settles nothing");
                let is_alone = entries.len() == 1;
                if let Some(own) =
                    tree.as_ref().map(|tree| if is_alone { tree } else { &tree["results"][at] })
                {
                    is_the_servers_word(own, u64::from(status), is_alone, entries[*at].0);
                }
            }
            Verdict::Quarantined(problem) => is_short(problem),
            Verdict::SignIn(SignInReason::WrongReporter) => assert!(entries.len() > 1 || !entries[*at].1),
            Verdict::SignIn(_) | Verdict::TooLarge | Verdict::Wait => {}
        }
    }
}

fn header(name: &str, input: &mut Input<'_>) -> Header {
    let length = input.byte() % 32;
    Header { name: name.into(), value: input.text(length.into()) }
}

/// Each entry is judged at most once, no other is, and nothing settles a request as a whole.
fn is_about_these(verdicts: &Verdicts, sent: usize) {
    let places: Vec<_> = verdicts.entries.iter().map(|(at, _)| *at).collect();
    assert!(places.is_sorted_by(|one, other| one < other) && places.iter().all(|at| *at < sent));
    assert!(!matches!(verdicts.whole, Some(Verdict::Settled | Verdict::Erased)));
    assert!(verdicts.whole.is_some() || places.len() == sent, "an entry of which nothing is said");
    assert!(verdicts.retry_after_ms.is_none_or(|ms| (0..=24 * 3_600_000).contains(&ms)));
}

fn is_the_servers_word(own: &Value, status: u64, is_alone: bool, key: IdempotencyKey) {
    let status = if is_alone { Some(status) } else { own["httpStatus"].as_u64() };
    assert!(matches!(status, Some(200 | 201)) && own["disposition"] == "settled");
    let named = own["idempotencyKey"].as_str().and_then(|text| text.parse().ok());
    assert_eq!(named, Some(key), "the answer to another");
}

fn is_short(problem: &Problem) {
    let texts = problem.slug.iter().chain(&problem.detail).chain(&problem.fields);
    let of_errors = problem.errors.iter().flat_map(|error| [&error.pointer, &error.code, &error.detail]);
    assert!(texts.chain(of_errors).all(|text| text.chars().count() <= 1000));
    assert!(problem.errors.len() <= 20 && problem.fields.len() <= 20);
}
