//! All clues at once: how well each person fits an incident, by what the attacker learned on a day of their own.
//!
//! The attacker has the program, so they can simulate days on which they know who reported what. There they count how
//! often each clue speaks for the reporter and how often for anybody (naive Bayes), and add up the logarithms.

use std::collections::HashMap;

use fastrand::Rng;
use incident_core::IncidentId;

use super::{Guesses, each};
use crate::evidence::{Evidence, Incident};

/// Where one bin of a distance in time ends and the next begins, in ms; negative before.
const EDGES_MS: [i64; 16] = [
    -3_600_000, -600_000, -60_000, -5_000, 0, 1_000, 5_000, 30_000, 120_000, 240_000, 360_000, 480_000,
    600_000, 720_000, 1_200_000, 3_600_000,
];
/// One more for beyond the last edge, one for «there is none».
const BINS: usize = EDGES_MS.len() + 2;
const CLUES: usize = 5;
/// Anybodies compared for each reporter.
const ANYBODIES: usize = 50;

type Clues = [usize; CLUES];

/// How much each finding speaks for a person.
pub(crate) struct Learned([[f64; BINS]; CLUES]);

impl Learned {
    /// What the times alone say, without the place.
    pub(crate) fn of_time(&self) -> Self {
        let mut weights = self.0;
        weights[CLUES - 1] = [0.0; BINS];
        Self(weights)
    }
}

/// What is known of a person: their named incidents, by arrival and by creation.
#[derive(Default)]
struct Person<'a> {
    arrivals: Vec<i64>,
    created: Vec<(i64, i64)>,
    places: HashMap<&'a str, usize>,
}

/// Learns from a day of which everything is known.
pub(crate) fn learn(evidence: &Evidence, moments: &[i64], truth: &HashMap<IncidentId, usize>) -> Learned {
    let people = people(evidence, moments);
    let mut random = Rng::with_seed(1);
    let mut counts = [[[0.5; BINS]; CLUES]; 2];
    for (number, incident) in evidence.anonymous() {
        let anybodies = (0..ANYBODIES).map(|_| (1, random.usize(0..people.len())));
        for (column, person) in
            truth.get(&incident.id).map(|person| (0, *person)).into_iter().chain(anybodies)
        {
            for (clue, bin) in clues(&people[person], incident, moments[number]).into_iter().enumerate() {
                counts[column][clue][bin] += 1.0;
            }
        }
    }
    let total = counts.map(|column| column.map(|bins| bins.iter().sum::<f64>()));
    let weight = |clue: usize, bin: usize| {
        (counts[0][clue][bin] / total[0][clue]).ln() - (counts[1][clue][bin] / total[1][clue]).ln()
    };
    Learned(std::array::from_fn(|clue| std::array::from_fn(|bin| weight(clue, bin))))
}

/// The person whom all clues together speak for most.
pub(crate) fn guess(evidence: &Evidence, moments: &[i64], learned: &Learned) -> Guesses {
    let people = people(evidence, moments);
    each(evidence, |number| {
        let incident = &evidence.incidents[number];
        let fit = |person: &Person| -> f64 {
            let clues = clues(person, incident, moments[number]);
            clues.into_iter().enumerate().map(|(clue, bin)| learned.0[clue][bin]).sum()
        };
        let fits = people.iter().map(fit).enumerate();
        fits.max_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(person, _)| person)
    })
}

fn people<'a>(evidence: &'a Evidence, moments: &[i64]) -> Vec<Person<'a>> {
    let mut people: Vec<Person> = evidence.people.iter().map(|_| Person::default()).collect();
    for (incident, at) in evidence.incidents.iter().zip(moments) {
        let Some(reporter) = incident.reporter else { continue };
        people[reporter].arrivals.push(*at);
        people[reporter].created.push((incident.created_ms, *at));
        *people[reporter].places.entry(&incident.location).or_default() += 1;
    }
    for person in &mut people {
        person.arrivals.sort_unstable();
        person.created.sort_unstable();
    }
    people
}

fn clues(person: &Person, incident: &Incident, at: i64) -> Clues {
    let next = person.arrivals.partition_point(|arrival| *arrival <= at);
    let later = person.created.partition_point(|(created, _)| *created < incident.created_ms);
    let earlier = later.checked_sub(1).map(|earlier| person.created[earlier]);
    let nearest = earlier.into_iter().chain(person.created.get(later).copied());
    let nearest = nearest.map(|(created, _)| created.abs_diff(incident.created_ms)).min();
    [
        // When something of theirs last arrived, and when next.
        bin(next.checked_sub(1).map(|last| at - person.arrivals[last])),
        bin(person.arrivals.get(next).map(|next| next - at)),
        // When that arrived which they reported next: a phone sends the oldest first.
        bin(person.created.get(later).map(|(_, arrival)| at - arrival)),
        // How near to it they reported something else.
        bin(nearest.and_then(|nearest| i64::try_from(nearest).ok())),
        // How often they report from there.
        person.places.get(incident.location.as_str()).copied().unwrap_or(0).min(BINS - 1),
    ]
}

fn bin(distance_ms: Option<i64>) -> usize {
    distance_ms.map_or(BINS - 1, |distance| EDGES_MS.partition_point(|edge| *edge <= distance))
}
