//! What an answer means for every entry of an upload and for the queue as a whole.

use incident_core::Status;

use super::{
    super::upload::{
        in_flight::Item,
        protocol::{NetworkFailureKind, SignInReason, UploadResult},
    },
    fields::Answer,
    read::{Consequence, judge, not_ours},
};

/// What is to be done about the request and about each of its entries.
pub(crate) struct Consequences {
    pub(crate) whole: Option<Consequence>,
    pub(crate) items: Vec<(Item, Consequence)>,
    /// Whether it is the server's own word, so that it may say when to come back.
    pub(crate) ours: bool,
    /// Whether the line was too slow for what was sent.
    pub(crate) too_slow: bool,
}

impl Consequences {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Consequence> {
        self.whole.iter().chain(self.items.iter().map(|(_, consequence)| consequence))
    }

    fn whole(whole: Option<Consequence>) -> Self {
        Self { whole, items: Vec::new(), ours: false, too_slow: false }
    }
}

/// Reads what came of the upload of these entries.
pub(crate) fn read(items: Vec<Item>, result: &UploadResult) -> Consequences {
    let (status, body) = match result {
        UploadResult::Cancelled => return Consequences::whole(None),
        UploadResult::NetworkFailure { kind, sent, .. } => {
            let wait = Consequence::Wait { why: kind.why(), strike: false, problem: None };
            let too_slow = *kind == NetworkFailureKind::TimedOut && *sent;
            return Consequences { too_slow, ..Consequences::whole(Some(wait)) };
        }
        UploadResult::Response { status, body, .. } => (*status, body),
    };
    let answer = Answer::read(body);
    let consequences = if let [only] = &items[..] {
        single(only.clone(), judge_item(status, &answer, only))
    } else {
        match answer.results(items.len()).filter(|_| status == 200) {
            Some(results) => Consequences { ours: true, ..each(items, &results) },
            // Nothing of it is any entry's fault.
            None => Consequences::whole(Some(judge(status, &answer, None))),
        }
    };
    Consequences { ours: consequences.ours || answer.is_ours(), ..consequences }
}

/// Some gateways keep the first answer to a key and give it again: that is none to the cancellation, which is sent under
/// the same key, nor to the report of another phone of the same person in the same millisecond.
fn judge_item(status: i64, answer: &Answer<'_>, item: &Item) -> Consequence {
    match judge(status, answer, Some(item.key)) {
        Consequence::Settled(Some(incident)) if item.is_cancelled() && incident.status == Status::Open => {
            not_ours(answer.problem(status))
        }
        Consequence::Settled(_) if answer.is_of_another_report(&item.payload) => {
            not_ours(answer.problem(status))
        }
        consequence => consequence,
    }
}

/// One entry alone: what keeps the server from answering holds for the queue, too.
fn single(item: Item, consequence: Consequence) -> Consequences {
    let consequence = match alone(consequence) {
        // A sealed key says nothing about who reports: this one is refused for itself.
        Consequence::SignIn(SignInReason::WrongReporter, problem) if item.anonymous => {
            Consequence::Quarantine(problem)
        }
        consequence => consequence,
    };
    let whole = matches!(consequence, Consequence::Wait { .. } | Consequence::SignIn(..))
        .then(|| consequence.clone());
    Consequences { items: vec![(item, consequence)], ..Consequences::whole(whole) }
}

/// One entry is too large only where the server itself says so.
fn alone(consequence: Consequence) -> Consequence {
    match consequence {
        Consequence::TooLarge { problem, ours: true } => Consequence::Quarantine(problem),
        Consequence::TooLarge { problem, ours: false } => not_ours(problem),
        other => other,
    }
}

fn each(items: Vec<Item>, results: &[Answer<'_>]) -> Consequences {
    let mut items: Vec<_> = items
        .into_iter()
        .zip(results)
        .map(|(item, answer)| {
            let consequence = alone(judge_item(answer.http_status(), answer, &item));
            (item, consequence)
        })
        .collect();
    let nothing_went = !items.iter().any(|(_, consequence)| consequence.is_success());
    if !nothing_went {
        // The token is good for the others: it is this entry's own fault.
        for (_, consequence) in &mut items {
            if let Consequence::SignIn(_, problem) = consequence {
                *consequence = Consequence::Quarantine(std::mem::take(problem));
            }
        }
    }
    let first_wait = items.iter().map(|(_, consequence)| consequence).find(|consequence| match consequence {
        Consequence::Wait { strike, .. } => !strike || nothing_went,
        _ => false,
    });
    // Where nothing at all succeeds, the server is at fault and not one of the entries.
    let whole = first_wait.cloned();
    items.retain(|(_, consequence)| !(nothing_went && matches!(consequence, Consequence::Wait { .. })));
    Consequences { items, ..Consequences::whole(whole) }
}
