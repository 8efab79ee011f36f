//! What each model is looked through for: its promises hold in every order, and without any one guard one of them does not.

use std::{fmt::Debug, hash::Hash, path::Path};

use incident_tests::proof::Proof;
use serde_json::{Map, Value, json};
use stateright::{Checker, Expectation, Model, Property};

/// Set to anything, what was looked through is written to `docs/proof.json`.
const PROOF_VARIABLE: &str = "INCIDENT_TEST_PROOF";

/// Looks through every order of a model with all its guards.
///
/// # Panics
/// A promise is broken.
pub(crate) fn keeps<M>(name: &str, model: M)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let checked = model.checker().threads(2).spawn_bfs().join();
    let (promises, found) = (checked.model().properties(), checked.discoveries());
    let is_broken = |promise: &Property<M>| {
        found.contains_key(promise.name) != matches!(promise.expectation, Expectation::Sometimes)
    };
    let broken: Vec<_> =
        promises.iter().filter(|promise| is_broken(promise)).map(|promise| promise.name).collect();
    note(
        name,
        [
            ("states", json!(checked.unique_state_count())),
            ("promises", json!(promises.len())),
            ("brokenPromises", json!(broken)),
        ],
    );
    checked.assert_properties();
}

/// Looks through the model without each of these guards, beside the promise that is broken then.
///
/// # Panics
/// There is a guard without which its promise still holds.
pub(crate) fn breaks<M, G>(name: &str, without: impl Fn(G) -> M, guards: &[(G, &'static str)])
where
    M: Model<State: Clone + Hash + PartialEq + Send + Sync, Action: Clone + PartialEq>
        + Send
        + Sync
        + 'static,
    G: Copy + Debug,
{
    let is_needed = |(guard, promise): &(G, &'static str)| {
        without(*guard).checker().threads(2).spawn_bfs().join().discovery(promise).is_some()
    };
    let (needed, idle): (Vec<_>, Vec<_>) = guards.iter().partition(|guard| is_needed(guard));
    let names = |guards: &[(G, _)]| guards.iter().map(|(guard, _)| format!("{guard:?}")).collect::<Vec<_>>();
    note(name, [("guardsNeeded", json!(names(&needed))), ("survivesWithout", json!(names(&idle)))]);
    assert!(idle.is_empty(), "{name} keeps its promises without {idle:?}");
}

fn note<const N: usize>(name: &str, facts: [(&str, Value); N]) {
    if std::env::var_os(PROOF_VARIABLE).is_none() {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/proof.json");
    let proof = Proof::new("models", &file).expect("this is a repository");
    let changed = proof.update(|run| {
        let mut all = run.get(name).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
        all.extend(facts.map(|(fact, value)| (fact.to_owned(), value)));
        run.set(name, all);
    });
    changed.expect("docs/proof.json can be written");
}
