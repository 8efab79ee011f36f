//! With both secrets and the list of users: the id that an incident of each person at that moment would have.

use super::{Guesses, each};
use crate::{evidence::Evidence, keys};

pub(crate) fn keys(evidence: &Evidence) -> Guesses {
    each(evidence, |number| {
        let incident = &evidence.incidents[number];
        evidence.people.iter().position(|person| {
            keys::recomputed(&evidence.id_secret, person, incident.created_ms).contains(&incident.id)
        })
    })
}
