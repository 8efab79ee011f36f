//! Which key names a report: the derived one, or for an anonymous report one that only its sender can make.

use incident_core::{IdSecret, IdempotencyKey, IncidentId, IncidentKey};
use incident_tests::{
    Answer, Client, Server,
    incident_keys::{derived, sealed},
    payload,
};
use serde_json::{Value, json};

/// The keys that may come with a report of Alice's, by what they are.
const KEYS: [&str; 9] = [
    "none",
    "her derived one",
    "bob's derived one",
    "a sealed one",
    "another moment's",
    "version 4",
    "version 7",
    "another variant",
    "no UUID",
];

fn key(what: &str, report: &Value) -> Option<String> {
    let key = sealed(7, "alice", report);
    let spoiled = |place: usize, digit: &str| [&key[..place], digit, &key[place + 1..]].concat();
    Some(match what {
        "none" => return None,
        "her derived one" => derived("alice", report),
        "bob's derived one" => derived("bob", report),
        "a sealed one" => key,
        "another moment's" => sealed(7, "alice", &payload::at("2026-11-22T10:15:30.121Z")),
        "version 4" => spoiled(14, "4"),
        "version 7" => spoiled(14, "7"),
        "another variant" => spoiled(19, "c"),
        "no UUID" => key.replace('-', ""),
        _ => unreachable!("{what}"),
    })
}

/// A named and an anonymous report for each of [`KEYS`], each of its own moment, and whether they fit together.
fn mixtures() -> Vec<(String, Value, Option<String>, bool)> {
    let mixture = |number: usize| {
        let (what, is_anonymous) = (KEYS[number / 2], number % 2 == 1);
        let report = payload::with(payload::numbered(number), "isAnonymous", is_anonymous);
        let fits = match what {
            "none" | "her derived one" => true,
            "bob's derived one" | "a sealed one" => is_anonymous,
            _ => false,
        };
        let key = key(what, &report);
        (format!("{what}, anonymous: {is_anonymous}"), report, key, fits)
    };
    (0..2 * KEYS.len()).map(mixture).collect()
}

fn expected(fits: bool) -> (u16, String) {
    if fits { (201, "created".into()) } else { (422, "idempotency-key-mismatch".into()) }
}

async fn sync(client: &Client, report: &Value, key: Option<&str>) -> Answer {
    match key {
        Some(key) => client.sync_with_key(report, key).await,
        None => client.sync(report).await,
    }
}

#[tokio::test]
async fn a_key_fits_its_report_alone_or_is_refused() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for (what, report, key, fits) in mixtures() {
        let answer = sync(&alice, &report, key.as_deref()).await;
        assert_eq!(answer.said(), expected(fits), "{what}");
        let named_by = key.unwrap_or_else(|| derived("alice", &report));
        assert!(!fits || answer.body["idempotencyKey"] == named_by, "{what}: {answer:?}");
        // What was refused is not there: with the derived key it is new.
        let again = alice.sync(&report).await;
        assert_eq!(again.status == 200, fits && named_by == derived("alice", &report), "{what}");
    }
}

#[tokio::test]
async fn a_key_fits_its_report_in_a_batch_or_is_refused() {
    let server = Server::start().await;
    let reports: Vec<_> = mixtures().into_iter().map(|(_, report, ..)| report).collect();
    let keys = mixtures().into_iter().map(|(_, _, key, _)| json!(key)).collect();

    let answer = server.client("alice").batch_with_keys(&reports, &keys).await;

    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), reports.len());
    for (result, (what, _, _, fits)) in results.iter().zip(mixtures()) {
        let result = Answer { status: 0, body: result.clone(), ..answer.clone() };
        assert_eq!((result.body["httpStatus"].clone(), result.said().1), {
            let (status, word) = expected(fits);
            (json!(status), word)
        });
        assert!(fits || result.body["disposition"] == "quarantine", "{what}");
    }
}

#[tokio::test]
async fn the_id_under_a_sealed_key_is_made_of_that_key_alone() {
    let server = Server::start().await;
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);

    let answer = server.client("alice").sync_with_key(&report, &key).await;

    let secret = incident_server::secrets::read(&server.data_dir().join("id.secret")).unwrap();
    let key: IdempotencyKey = key.parse().unwrap();
    let id = IncidentId::derive(&IdSecret::new(&secret).unwrap(), IncidentKey::Sealed(key));
    assert_eq!(answer.id(), id.to_string());
}

#[tokio::test]
async fn a_sealed_key_names_one_incident_in_any_spelling_for_anybody() {
    let server = Server::start().await;
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);
    let first = server.client("alice").sync_with_key(&report, &key).await;

    for (sub, spelled) in
        [("alice", key.clone()), ("alice", format!("\"{key}\"")), ("bob", key.to_uppercase())]
    {
        let again = server.client(sub).sync_with_key(&report, &spelled).await;
        assert_eq!(again.said(), (200, "unchanged".into()), "{sub} {spelled}");
        assert_eq!((again.id(), &again.body["idempotencyKey"]), (first.id(), &json!(key)));
    }
}

#[tokio::test]
async fn a_report_under_a_sealed_key_is_called_off_under_it() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let reports = [1, 2].map(|number| payload::anonymous(payload::numbered(number)));
    let [late, early] = reports.each_ref().map(|report| payload::cancelled(report.clone(), "false alarm"));
    let [first, second] = reports.each_ref().map(|report| sealed(7, "alice", report));

    let said = [
        alice.sync_with_key(&reports[0], &first).await.said(),
        alice.sync_with_key(&late, &first).await.said(),
        alice.sync_with_key(&late, &first).await.said(),
        alice.sync_with_key(&payload::cancelled(late, "another"), &first).await.said(),
        alice.sync_with_key(&early, &second).await.said(),
        alice.sync_with_key(&reports[1], &second).await.said(),
    ];

    let words = said.map(|(_, word)| word);
    let expected =
        ["created", "cancelled", "unchanged", "alreadyCancelled", "createdAndCancelled", "unchanged"];
    assert_eq!(words, expected);
}

#[tokio::test]
async fn of_two_people_under_one_sealed_key_the_facts_decide() {
    let server = Server::start().await;
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);
    assert_eq!(server.client("alice").sync_with_key(&report, &key).await.status, 201);
    let bob = server.client("bob");

    let same = bob.sync_with_key(&report, &key).await;
    let other = bob.sync_with_key(&payload::with(report, "locationId", "elsewhere"), &key).await;

    assert_eq!(same.said(), (200, "unchanged".into()));
    assert_eq!(other.said(), (409, "idempotency-conflict".into()));
    assert_eq!(other.body["fields"], json!(["locationId"]));
}

#[tokio::test]
async fn nobody_takes_the_name_of_a_report_with_the_key_that_was_derived_for_it() {
    let server = Server::start().await;
    let (alice, bob) = (server.client("alice"), server.client("bob"));
    for report in [payload::numbered(1), payload::anonymous(payload::numbered(2))] {
        let hers = derived("alice", &report);
        let squatting = payload::anonymous(payload::with(report.clone(), "locationId", "elsewhere"));
        assert_eq!(bob.sync_with_key(&squatting, &hers).await.said(), (201, "created".into()));

        let answer = alice.sync_with_key(&report, &hers).await;

        assert_eq!(answer.said(), (201, "created".into()));
        assert_eq!(alice.sync(&report).await.said(), (200, "unchanged".into()));
    }
}

/// Whatever Bob sends at the moment of Alice's report, named or not, with her derived key, his own, one of his making or
/// none, alone or in a batch: hers is created as if he were not there, and is read and called off as hers.
#[tokio::test]
async fn no_mixture_of_keys_and_names_takes_the_place_of_a_report() {
    let server = Server::unlimited().await;
    let (alice, bob) = (server.client("alice"), server.client("bob"));
    let mut number = 0;
    for hers_is_anonymous in [false, true] {
        for her_key in ["none", "her derived one", "a sealed one"] {
            for his_is_anonymous in [false, true] {
                for his_key in ["none", "her derived one", "bob's derived one", "one of his making"] {
                    number += 1;
                    let what = format!("{hers_is_anonymous} {her_key} {his_is_anonymous} {his_key}");
                    let report = payload::with(payload::numbered(number), "isAnonymous", hers_is_anonymous);
                    if her_key == "a sealed one" && !hers_is_anonymous {
                        continue;
                    }
                    let his = payload::with(
                        payload::with(report.clone(), "locationId", "his"),
                        "isAnonymous",
                        his_is_anonymous,
                    );
                    let his_key = match his_key {
                        "one of his making" => Some(sealed(9, "bob", &his)),
                        other => key(other, &his),
                    };
                    sync(&bob, &his, his_key.as_deref()).await;
                    bob.batch_with_keys(&[his], &json!([his_key])).await;

                    let her_key = key(her_key, &report);
                    assert_eq!(
                        sync(&alice, &report, her_key.as_deref()).await.said(),
                        (201, "created".into()),
                        "{what}"
                    );
                    let off = payload::cancelled(report, "false alarm");
                    assert_eq!(
                        sync(&alice, &off, her_key.as_deref()).await.said(),
                        (200, "cancelled".into()),
                        "{what}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_learns_by_trying_keys_whether_somebody_reported() {
    let server = Server::start().await;
    let reports = [payload::numbered(1), payload::anonymous(payload::numbered(2))];
    let absent = [payload::numbered(3), payload::anonymous(payload::numbered(4))];
    for report in &reports {
        assert_eq!(server.client("alice").sync(report).await.status, 201);
    }
    let bob = server.client("bob");

    for (there, not_there) in reports.iter().zip(&absent) {
        for is_anonymous in [false, true] {
            let tries = [there, not_there].map(|report| {
                let guess = payload::with(report.clone(), "locationId", "a guess");
                (payload::with(guess, "isAnonymous", is_anonymous), derived("alice", report))
            });
            let mut said = Vec::new();
            for (guess, key) in &tries {
                let batch = bob.batch_with_keys(std::slice::from_ref(guess), &json!([key])).await;
                let result = &batch.body["results"][0];
                said.push([result["outcome"].clone(), result["type"].clone()]);
                let again = bob.sync_with_key(guess, key).await;
                said.push([again.body["outcome"].clone(), again.body["type"].clone()]);
            }
            assert_eq!(said[..2], said[2..], "anonymous: {is_anonymous}");
        }
    }
}
