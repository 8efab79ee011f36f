//! What an answer means for every entry of an upload and for the queue as a whole.

use super::{
    super::upload::{
        in_flight::Item,
        protocol::{NetworkFailureKind, SignInReason, UploadResult},
    },
    read::{Answer, Verdict, judge, not_ours},
};

/// What is to be done about the request and about each of its entries.
pub(crate) struct Verdicts {
    pub(crate) whole: Option<Verdict>,
    pub(crate) items: Vec<(Item, Verdict)>,
    /// Whether it is the server's own word, so that it may say when to come back.
    pub(crate) ours: bool,
    /// Whether the line was too slow for what was sent.
    pub(crate) too_slow: bool,
}

impl Verdicts {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Verdict> {
        self.whole.iter().chain(self.items.iter().map(|(_, verdict)| verdict))
    }

    fn whole(whole: Option<Verdict>) -> Self {
        Self { whole, items: Vec::new(), ours: false, too_slow: false }
    }
}

/// Reads what came of the upload of these entries.
pub(crate) fn read(items: Vec<Item>, result: &UploadResult) -> Verdicts {
    let (status, body) = match result {
        UploadResult::Cancelled => return Verdicts::whole(None),
        UploadResult::NetworkFailure { kind, sent, .. } => {
            let wait = Verdict::Wait { why: kind.why(), strike: false, problem: None };
            let too_slow = *kind == NetworkFailureKind::TimedOut && *sent;
            return Verdicts { too_slow, ..Verdicts::whole(Some(wait)) };
        }
        UploadResult::Response { status, body, .. } => (*status, body),
    };
    let answer = Answer::read(body);
    let verdicts = if let [only] = &items[..] {
        single(only.clone(), judge(status, &answer, Some(only.key)))
    } else {
        match answer.results(items.len()).filter(|_| status == 200) {
            Some(results) => Verdicts { ours: true, ..each(items, &results) },
            // Nothing of it is any entry's fault.
            None => Verdicts::whole(Some(judge(status, &answer, None))),
        }
    };
    Verdicts { ours: verdicts.ours || answer.is_ours(), ..verdicts }
}

/// One entry alone: what keeps the server from answering holds for the queue, too.
fn single(item: Item, verdict: Verdict) -> Verdicts {
    let verdict = match alone(verdict) {
        // A sealed key says nothing about who reports: this one is refused for itself.
        Verdict::SignIn(SignInReason::WrongReporter, problem) if item.anonymous => {
            Verdict::Quarantine(problem)
        }
        verdict => verdict,
    };
    let whole = matches!(verdict, Verdict::Wait { .. } | Verdict::SignIn(..)).then(|| verdict.clone());
    Verdicts { items: vec![(item, verdict)], ..Verdicts::whole(whole) }
}

/// One entry is too large only where the server itself says so.
fn alone(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::TooLarge { problem, ours: true } => Verdict::Quarantine(problem),
        Verdict::TooLarge { problem, ours: false } => not_ours(problem),
        other => other,
    }
}

fn each(items: Vec<Item>, results: &[Answer<'_>]) -> Verdicts {
    let mut items: Vec<_> = items
        .into_iter()
        .zip(results)
        .map(|(item, answer)| (alone(judge(answer.http_status(), answer, Some(item.key))), item))
        .collect();
    let nothing_went = !items.iter().any(|(verdict, _)| verdict.is_success());
    if !nothing_went {
        // The token is good for the others: it is this entry's own fault.
        for (verdict, _) in &mut items {
            if let Verdict::SignIn(_, problem) = verdict {
                *verdict = Verdict::Quarantine(std::mem::take(problem));
            }
        }
    }
    let first_wait = items.iter().map(|(verdict, _)| verdict).find(|verdict| match verdict {
        Verdict::Wait { strike, .. } => !strike || nothing_went,
        _ => false,
    });
    // Where nothing at all succeeds, the server is at fault and not one of the entries.
    let whole = first_wait.cloned();
    let keep = |verdict: &Verdict| !(nothing_went && matches!(verdict, Verdict::Wait { .. }));
    let items = items.into_iter().filter(|(v, _)| keep(v)).map(|(v, item)| (item, v)).collect();
    Verdicts { items, ..Verdicts::whole(whole) }
}
