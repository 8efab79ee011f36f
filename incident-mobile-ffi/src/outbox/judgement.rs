//! What an answer means for every entry of an upload and for the queue as a whole.

use incident_core::IdempotencyKey;
use serde_json::Value;

use super::{
    answer::{Verdict, judge},
    entry::Trouble,
    protocol::{UploadResult, WaitReason},
    upload::Item,
};

/// What is to be done about the request and about each of its entries.
pub(super) struct Judgement {
    pub(super) whole: Option<Verdict>,
    pub(super) items: Vec<(Item, Verdict)>,
}

impl Judgement {
    pub(super) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.whole.iter().chain(self.items.iter().map(|(_, verdict)| verdict))
    }
}

/// Reads what came of the upload of these entries.
pub(super) fn read(items: Vec<Item>, result: &UploadResult) -> Judgement {
    let whole = |whole| Judgement { whole, items: Vec::new() };
    let (status, body) = match result {
        UploadResult::Cancelled => return whole(None),
        UploadResult::NetworkFailure => {
            return whole(Some(Verdict::Wait { why: WaitReason::Offline, strike: false, trouble: None }));
        }
        UploadResult::Response { status, body, .. } => {
            (*status, serde_json::from_slice(body).unwrap_or(Value::Null))
        }
    };
    if let [only] = &items[..] {
        let verdict = judge(status, &body, Some(only.key));
        return single(only.clone(), verdict);
    }
    match results(status, &body, items.len()) {
        Some(results) => each(items, results),
        None => many(items, judge(status, &body, None)),
    }
}

/// One entry alone: what keeps the server from answering holds for the queue, too.
fn single(item: Item, verdict: Verdict) -> Judgement {
    let verdict = match verdict {
        Verdict::TooLarge(trouble) => Verdict::Quarantine(trouble),
        other => other,
    };
    let whole = matches!(verdict, Verdict::Wait { .. } | Verdict::SignIn).then(|| verdict.clone());
    Judgement { whole, items: vec![(item, verdict)] }
}

/// A whole batch that was not taken apart: nothing of it is any entry's fault, unless the server itself forbids.
fn many(items: Vec<Item>, verdict: Verdict) -> Judgement {
    let forbids = |trouble: &Trouble| trouble.problem.as_deref() == Some("forbidden");
    if matches!(&verdict, Verdict::Quarantine(trouble) if forbids(trouble)) {
        Judgement { items: items.into_iter().map(|item| (item, verdict.clone())).collect(), whole: None }
    } else {
        Judgement { items: Vec::new(), whole: Some(verdict) }
    }
}

/// The answers of a batch, if it is one of ours.
fn results(status: i64, body: &Value, sent: usize) -> Option<&Vec<Value>> {
    let results = body.get("results")?.as_array()?;
    (status == 200 && results.len() == sent).then_some(results)
}

fn each(items: Vec<Item>, results: &[Value]) -> Judgement {
    let verdict = |key: IdempotencyKey, body: &Value| {
        let status = body.get("httpStatus").and_then(Value::as_i64).unwrap_or(0);
        match judge(status, body, Some(key)) {
            Verdict::TooLarge(trouble) => Verdict::Quarantine(trouble),
            other => other,
        }
    };
    let items: Vec<_> =
        items.into_iter().zip(results).map(|(item, body)| (verdict(item.key, body), item)).collect();
    let nothing_went = !items.iter().any(|(verdict, _)| verdict.is_success());
    let first_wait = items.iter().map(|(verdict, _)| verdict).find(|verdict| match verdict {
        Verdict::Wait { strike, .. } => !strike || nothing_went,
        _ => false,
    });
    // Where nothing at all succeeds, the server is at fault and not one of the entries.
    let whole = first_wait.cloned();
    let keep = |verdict: &Verdict| !(nothing_went && matches!(verdict, Verdict::Wait { .. }));
    Judgement {
        whole,
        items: items.into_iter().filter(|(v, _)| keep(v)).map(|(v, item)| (item, v)).collect(),
    }
}
