//! Nothing leads from an anonymous report to a person, and no log tells what was reported.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use incident_tests::{Client, Server, Setup, incident_keys::sealed, payload};
use serde_json::Value;

const NAME: &str = "zaphod.beeblebrox@example.org";
const TEXT: &str = "xyzzy-plugh";

/// Reports, cancels, conflicts, repeats, reads and errs, all anonymously.
async fn live_anonymously(somebody: &Client) -> Vec<String> {
    let report = payload::anonymous(payload::with(payload::report(), "roomNumber", TEXT));
    let key = sealed(7, NAME, &payload::numbered(2));
    let other = payload::with(report.clone(), "createdAt", payload::numbered(2)["createdAt"].clone());
    let cancelled = payload::cancelled(report.clone(), TEXT);
    let created = somebody.sync(&report).await;
    let under_seal = somebody.sync_with_key(&other, &key).await;
    let mut answers = vec![
        somebody.sync_with_key(&payload::cancelled(other.clone(), TEXT), &key).await,
        somebody.sync_with_key(&payload::with(other, "locationId", TEXT), &key).await,
        somebody.get_with_key(&under_seal.header("location"), &key).await,
        somebody.get_with_key(&format!("{}/history", under_seal.header("location")), &key).await,
        somebody.sync(&cancelled).await,
        somebody.sync(&payload::cancelled(report.clone(), "another reason")).await,
        somebody.sync(&payload::with(report.clone(), "locationId", TEXT)).await,
        somebody.sync(&payload::with(report.clone(), "createdAt", TEXT)).await,
        somebody.sync_text(format!("{{{TEXT}")).await,
        somebody.sync_with_key(&report, TEXT).await,
        somebody.batch(&[report, cancelled]).await,
        somebody.get(&created.header("location")).await,
        somebody.get(&format!("{}/history", created.header("location"))).await,
        somebody.get(&format!("/api/incidents?locationId={TEXT}&limit={TEXT}")).await,
        somebody.get(&format!("/{TEXT}")).await,
    ];
    answers.extend([created, under_seal]);
    answers.iter().map(|answer| format!("{:?} {}", answer.headers, answer.text)).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A server that logs all it can.
fn talkative() -> Setup {
    Setup::new().variable("INCIDENT_LOG", "trace")
}

#[tokio::test]
async fn the_name_behind_an_anonymous_report_is_nowhere() {
    let mut server = talkative().start().await;
    let mut said = live_anonymously(&server.client(NAME)).await;
    said.push(server.responder().get("/api/incidents").await.text);
    said.push(server.get("/metrics").await.text);

    server.run().kill().await;
    server.run().end().await;
    said.extend([server.log(), server.run().out()]);

    assert!(said.iter().all(|text| !text.contains(NAME)), "{said:?}");
    let kept = server.database().kept().await;
    assert!(kept.iter().any(|part| contains(part, TEXT)), "the report itself is there");
    assert!(!kept.iter().any(|part| contains(part, NAME)));
}

#[tokio::test]
async fn a_row_of_an_anonymous_report_has_no_reporter() {
    let server = Server::start().await;
    server.client(NAME).sync(&payload::anonymous(payload::numbered(1))).await;
    server.client(NAME).sync(&payload::numbered(2)).await;

    let mut session = server.database().session().await;

    let anonymous = "SELECT count(*) FROM incidents WHERE is_anonymous AND reporter IS NULL";
    let named = "SELECT count(*) FROM incidents WHERE NOT is_anonymous AND reporter IS NOT NULL";
    assert_eq!((session.count(anonymous).await, session.count(named).await), (1, 1));
}

/// Behind the time comes the digest: the bytes of a key from the second of it on.
fn tail(key: &str) -> Vec<u8> {
    let digits = key.replace('-', "");
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (14..32).step_by(2).map(byte).collect()
}

#[tokio::test]
async fn neither_the_derived_key_nor_its_digest_is_stored_or_logged() {
    let mut server = Server::start().await;
    let answer = server.client(NAME).sync(&payload::anonymous(payload::report())).await;
    let key = answer.body["idempotencyKey"].as_str().unwrap().to_owned();
    let tail = tail(&key);

    server.run().kill().await;
    server.run().end().await;

    assert!(!server.log().contains(&key) && !server.run().out().contains(&key));
    for part in server.database().kept().await {
        // Behind the time comes the digest: as bytes, or as the end of a UUID's text.
        assert!(!part.windows(tail.len()).any(|window| window == tail) && !contains(&part, &key[16..]));
    }
}

#[tokio::test]
async fn neither_a_sealed_key_nor_what_its_sender_would_have_derived_is_kept_or_logged() {
    let mut server = talkative().start().await;
    let report = payload::anonymous(payload::report());
    let keys = [sealed(7, NAME, &report), incident_tests::incident_keys::derived(NAME, &report)];
    let answer = server.client(NAME).sync_with_key(&report, &keys[0]).await;
    assert_eq!(answer.status, 201);
    assert_eq!(server.client(NAME).get_with_key(&answer.header("location"), &keys[0]).await.status, 200);

    server.run().kill().await;
    server.run().end().await;

    for key in keys {
        let digest = tail(&key);
        assert!(!server.log().contains(&key[16..]) && !server.run().out().contains(&key[16..]));
        for part in server.database().kept().await {
            assert!(
                !part.windows(digest.len()).any(|window| window == digest) && !contains(&part, &key[16..])
            );
        }
    }
}

/// The log without what is another in every run: the moment, how long it took, the request's id, and how often the
/// database's driver opened a session.
fn lines_alike(log: &str) -> Vec<Value> {
    let alike = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("a line of the log is JSON");
        for varying in ["/timestamp", "/ms", "/span/id"] {
            if let Some(value) = line.pointer_mut(varying) {
                *value = Value::Null;
            }
        }
        line
    };
    log.lines().map(alike).filter(|line| !is_of_the_driver(line)).collect()
}

/// Sessions with the database are shared by all requests.
fn is_of_the_driver(line: &Value) -> bool {
    line["target"].as_str().is_some_and(|target| target.starts_with("sqlx"))
}

/// The counters of what happened, not those of how long it took.
fn counters(metrics: &str) -> Vec<&str> {
    let counts = ["incident_requests", "incident_outcomes", "incident_queue", "incident_batch"];
    let mut lines: Vec<_> =
        metrics.lines().filter(|line| counts.iter().any(|name| line.starts_with(name))).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn logs_at_trace_and_metrics_are_the_same_whoever_reports() {
    let mut told = Vec::new();
    for name in ["al", NAME, &"n".repeat(255)] {
        let server = talkative().start().await;
        live_anonymously(&server.client(name)).await;
        let metrics = server.get("/metrics").await.text;
        let counters = counters(&metrics).join("\n");
        let (_, log) = server.stop().await;
        told.push((lines_alike(&log), counters));
    }

    assert!(told[0].0.len() > 10 && told[0].1.contains("created"), "something was told: {told:?}");
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

#[tokio::test]
async fn no_connection_is_told_in_a_log_at_trace() {
    let server = talkative().start().await;
    live_anonymously(&server.client(NAME)).await;

    let (_, log) = server.stop().await;

    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let target = line["target"].as_str().unwrap();
        let is_fine = ["DEBUG", "TRACE"].contains(&line["level"].as_str().unwrap());
        let is_expected = target.starts_with("incident_server") || is_of_the_driver(&line);
        assert!(!is_fine || is_expected, "what a library says: {line}");
        for field in ["peer", "remote_addr", "client", "addr", "token", "bytes", "len", "length"] {
            assert_eq!(line.get(field), None, "{line}");
        }
    }
}

#[tokio::test]
async fn no_payload_text_token_or_name_is_logged() {
    let server = talkative().start().await;
    let report = payload::with(payload::report(), "locationId", TEXT);
    let somebody = server.client(NAME);
    assert_eq!(somebody.sync(&report).await.status, 201);
    assert_eq!(somebody.sync(&payload::cancelled(report, TEXT)).await.status, 200);
    live_anonymously(&somebody).await;
    let token = server.token(NAME, None);

    let (status, log) = server.stop().await;

    assert!(status.success());
    assert!(log.contains("\"answered\""), "requests are logged: {log}");
    let encoded = URL_SAFE_NO_PAD.encode(NAME);
    for secret in [TEXT, NAME, &encoded, &token, token.split('.').nth(1).unwrap()] {
        assert!(!log.contains(secret), "{secret}");
    }
}
