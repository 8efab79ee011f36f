//! With a token for everybody, made with the server's own secret: whom does it show an anonymous incident, or
//! takes its repetition from?

use futures_util::{StreamExt, stream};
use incident_core::Reporter;
use incident_tests::Client;
use serde_json::Value;

use super::Guesses;
use crate::{evidence::Evidence, keys, service::Service};

const AT_ONCE: usize = 32;

/// Reads each incident as everybody, with their derived key and without, and takes whoever may.
pub(crate) async fn read(service: &Service, evidence: &Evidence, sample: &[usize]) -> Guesses {
    ask(service, evidence, sample, async |client, path, key, _| {
        let plain = [client.get(&path).await, client.get(&format!("{path}/history")).await];
        let keyed = client.get_with_key(&path, &key).await;
        plain.iter().chain([&keyed]).any(|answer| answer.status == 200)
    })
    .await
}

/// Sends each incident again as everybody, and takes whoever is told that it is there.
pub(crate) async fn repeat(service: &Service, evidence: &Evidence, sample: &[usize]) -> Guesses {
    ask(service, evidence, sample, async |client, _, _, facts| client.sync(&facts).await.status != 201).await
}

async fn ask(
    service: &Service,
    evidence: &Evidence,
    sample: &[usize],
    is_told: impl AsyncFn(Client, String, String, Value) -> bool,
) -> Guesses {
    let responder = service.responder();
    let client = |person: &Reporter| responder.with_token(service.token(person.as_str(), None));
    let people: Vec<Client> = evidence.people.iter().map(client).collect();
    let mut guesses = Guesses::new();
    for number in sample {
        let incident = &evidence.incidents[*number];
        let path = format!("/api/incidents/{}", incident.id);
        let facts = responder.get(&path).await.body;
        let asked = people.iter().enumerate().map(|(person, client)| {
            let key = keys::derived(&evidence.people[person], incident.created_ms).to_string();
            let told = is_told(client.clone(), path.clone(), key, facts.clone());
            async move { told.await.then_some(person) }
        });
        let told: Vec<Option<usize>> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        guesses.push((*number, told.into_iter().flatten().next()));
    }
    guesses
}
