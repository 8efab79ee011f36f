//! What somebody may try who has everything. A guess is one person for one anonymous incident.

pub(crate) mod arrival;
pub(crate) mod asking;
pub(crate) mod combination;
pub(crate) mod nearest;
pub(crate) mod recomputing;

use std::collections::HashMap;

use incident_core::IncidentId;

use crate::evidence::Evidence;

/// The person that each anonymous incident is put down to, by the place of both in their lists.
pub(crate) type Guesses = Vec<(usize, Option<usize>)>;

/// How often a strategy was right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Score {
    pub(crate) tried: usize,
    pub(crate) right: usize,
}

impl Score {
    pub(crate) fn new(evidence: &Evidence, guesses: &Guesses, truth: &HashMap<IncidentId, usize>) -> Self {
        let is_right = |(incident, guess): &&(usize, Option<usize>)| {
            guess.is_some() && truth.get(&evidence.incidents[*incident].id).copied() == *guess
        };
        Self { tried: guesses.len(), right: guesses.iter().filter(is_right).count() }
    }

    /// In percent.
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn percent(self) -> f64 {
        100.0 * self.right as f64 / self.tried.max(1) as f64
    }
}

/// One guess for every anonymous incident.
pub(crate) fn each(evidence: &Evidence, mut guess: impl FnMut(usize) -> Option<usize>) -> Guesses {
    evidence.anonymous().map(|(number, _)| (number, guess(number))).collect()
}
