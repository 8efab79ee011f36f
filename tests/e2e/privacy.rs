//! Nothing leads from an anonymous report to a person, and no log tells what was reported.

use incident_tests::{Client, Server, payload};

const NAME: &str = "zaphod.beeblebrox@example.org";
const TEXT: &str = "xyzzy-plugh";

/// Reports, cancels, conflicts, repeats, reads and errs, all anonymously.
async fn live_anonymously(somebody: &Client) -> Vec<String> {
    let report = payload::anonymous(payload::with(payload::report(), "roomNumber", TEXT));
    let cancelled = payload::cancelled(report.clone(), TEXT);
    let created = somebody.sync(&report).await;
    let mut answers = vec![
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
    answers.push(created);
    answers.iter().map(|answer| format!("{:?} {}", answer.headers, answer.text)).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_name_behind_an_anonymous_report_is_nowhere() {
    let mut server = Server::start().await;
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

#[tokio::test]
async fn neither_the_derived_key_nor_its_digest_is_stored_or_logged() {
    let mut server = Server::start().await;
    let answer = server.client(NAME).sync(&payload::anonymous(payload::report())).await;
    let key = answer.body["idempotencyKey"].as_str().unwrap().to_owned();
    let tail: Vec<u8> = key.replace('-', "").as_bytes()[14..]
        .chunks(2)
        .map(|hex| u8::from_str_radix(str::from_utf8(hex).unwrap(), 16).unwrap())
        .collect();

    server.run().kill().await;
    server.run().end().await;

    assert!(!server.log().contains(&key) && !server.run().out().contains(&key));
    for part in server.database().kept().await {
        // Behind the time comes the digest: as bytes, or as the end of a UUID's text.
        assert!(!part.windows(tail.len()).any(|window| window == tail) && !contains(&part, &key[16..]));
    }
}

#[tokio::test]
async fn no_payload_text_token_or_name_is_logged() {
    let server = Server::start().await;
    let report = payload::with(payload::report(), "locationId", TEXT);
    let somebody = server.client(NAME);
    assert_eq!(somebody.sync(&report).await.status, 201);
    assert_eq!(somebody.sync(&payload::cancelled(report, TEXT)).await.status, 200);
    live_anonymously(&somebody).await;
    let token = server.token(NAME, None);

    let (status, log) = server.stop().await;

    assert!(status.success());
    assert!(log.contains("\"answered\""), "requests are logged: {log}");
    for secret in [TEXT, NAME, &token, token.split('.').nth(1).unwrap()] {
        assert!(!log.contains(secret), "{secret}");
    }
}
