//! What was answered: how often, how soon, and with which word.

use std::sync::atomic::AtomicU64;

use incident_core::{Outcome, Problem};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// From a millisecond, below which nobody waits, to the 10 s within which every sync is answered.
const REQUEST_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabel {
    problem: &'static str,
}

type Counters<Label> = Family<Label, Counter<u64, AtomicU64>>;

pub(super) struct Answers {
    requests: Counters<RequestLabels>,
    request_seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    outcomes: Counters<OutcomeLabel>,
    refusals: Counters<ProblemLabel>,
}

impl Answers {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let request_seconds = Family::new_with_constructor((|| Histogram::new(REQUEST_SECONDS)) as fn() -> _);
        let (requests, outcomes, refusals) = (Family::default(), Family::default(), Family::default());
        registry.register("requests", "Answered requests by route and status", requests.clone());
        let help = "Time from a request's head to its answer by route; that of a stream is its beginning";
        registry.register_with_unit("request", help, Unit::Seconds, request_seconds.clone());
        registry.register("outcomes", "What syncs did, by outcome", outcomes.clone());
        let help = "Answers, and results in the answers to batches, that are a problem, by problem";
        registry.register("refusals", help, refusals.clone());
        Self { requests, request_seconds, outcomes, refusals }
    }

    pub(super) fn request(&self, route: &str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
        self.request_seconds.get_or_create(&RouteLabel { route: route.to_owned() }).observe(seconds);
    }

    pub(super) fn outcome(&self, outcome: Outcome) {
        self.outcomes.get_or_create(&OutcomeLabel { outcome: outcome.as_str() }).inc();
    }

    pub(super) fn refusal(&self, problem: Problem) {
        self.refusals.get_or_create(&ProblemLabel { problem: problem.as_str() }).inc();
    }
}
