//! Bad input is answered with every fault at once, and quotes nothing.

use incident_tests::{Answer, Server, payload, raw};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn all_faults_are_listed_at_once() {
    let server = Server::start().await;
    let sent = json!({
        "locationId": "  ", "roomNumber": "x".repeat(65), "isAnonymous": "yes", "createdAt": "yesterday",
        "gpsCoordinates": { "type": "Point", "coordinates": [180.1, 0] }, "cancellationReason": "a\u{7}b",
    });

    let answer = server.client("alice").sync(&sent).await;

    assert_eq!(answer.said(), (422, "validation-failed".into()));
    let mut errors = answer.errors();
    errors.sort();
    let expected = [
        ("/cancellationReason", "control-character"),
        ("/createdAt", "timestamp"),
        ("/gpsCoordinates/coordinates/0", "out-of-range"),
        ("/isAnonymous", "type"),
        ("/locationId", "blank"),
        ("/roomNumber", "too-long"),
    ];
    assert_eq!(errors, pairs(&expected));
}

#[tokio::test]
async fn nothing_of_the_payload_is_quoted_in_a_refusal() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let secret = "xyzzy-secret";
    let mut bodies = vec![format!("{{\"{secret}"), secret.to_owned(), format!("{{}} {secret}")];
    for field in
        ["locationId", "roomNumber", "isAnonymous", "createdAt", "gpsCoordinates", "cancellationReason"]
    {
        let bad = [json!(format!("{secret}\u{1}").repeat(200)), json!({ "a": secret }), json!([secret])];
        bodies.extend(bad.map(|value| payload::with(payload::report(), field, value).to_string()));
    }

    for body in bodies {
        let answer = alice.sync_text(body.clone()).await;
        assert!(answer.status == 422 || answer.status == 400, "{body}");
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    assert!(!server.log().contains(secret));
}

#[tokio::test]
async fn what_is_no_json_document_is_malformed() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let good = payload::report().to_string();
    let bodies: Vec<Vec<u8>> = vec![
        b"".into(),
        b" ".into(),
        b"{".into(),
        b"\xff\xfe{}".into(),
        "\u{feff}{}".into(),
        format!("{good}{good}").into(),
        good.replace("ward-7", "\\ud800").into(),
        good.replace("12.4924", "1e400").into(),
        good.replace("ward-7", "a\nb").into(),
        good.replace("12B", "\u{ff}").into_bytes().into_iter().filter(|byte| *byte != 0xc3).collect(),
    ];

    for body in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = alice.sync_text(body).await;
        assert_eq!(answer.said(), (400, "malformed-json".into()), "{shown}");
    }
}

#[tokio::test]
async fn a_document_that_is_no_payload_is_invalid() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for text in ["[]", "null", "1", "\"x\"", "true"] {
        let answer = alice.sync_text(text).await;
        assert_eq!(
            (answer.said(), answer.errors()),
            ((422, "validation-failed".into()), pairs(&[("", "type")]))
        );
    }
    let twice = payload::with(payload::report(), "createdAt", "yesterday").to_string().replacen(
        '{',
        r#"{"locationId":7,"x":{},"#,
        1,
    );
    let answer = alice.sync_text(twice).await;
    assert_eq!(answer.errors(), pairs(&[("/locationId", "duplicate-field")]), "answered alone");
    let answer = alice.sync_text("{}").await;
    let required =
        ["/locationId", "/gpsCoordinates", "/isAnonymous", "/createdAt"].map(|field| (field, "required"));
    assert_eq!(answer.errors(), pairs(&required));
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let server = Server::start().await;
    let send = async |headers: &[(&'static str, &'static str)]| {
        let request = server.client("alice").request(Method::POST, "/api/incidents/sync");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::to(request.body(payload::report().to_string())).await.status
    };

    for refused in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/json; charset=latin1")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
        &[("content-type", "application/json"), ("content-encoding", "identity, br")],
        &[
            ("content-type", "application/json"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
        ],
        &[("content-type", "application/json"), ("content-type", "text/plain")],
    ] {
        assert_eq!(send(refused).await, 415, "{refused:?}");
    }
    for taken in [
        &[("content-type", "Application/JSON;charset=\"UTF-8\"")][..],
        &[("content-type", "application/json"), ("content-encoding", "Identity")],
    ] {
        assert!(send(taken).await < 300, "{taken:?}");
    }
}

#[tokio::test]
async fn thirty_two_kibibytes_are_taken_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let body = |bytes: usize| {
        let payload = payload::report().to_string();
        payload.clone() + &" ".repeat(bytes - payload.len())
    };

    let full = alice.sync_text(body(32 * 1024)).await;
    let over = alice.sync_text(body(32 * 1024 + 1)).await;
    let chunked =
        raw::sync_head(&server, "alice", 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let mut stream =
        raw::send(&server, format!("{chunked}8001\r\n{}\r\n0\r\n\r\n", body(32 * 1024 + 1))).await;
    stream.shutdown().await.unwrap();
    let unannounced = raw::answer(&raw::rest(&mut stream).await);

    assert_eq!(full.status, 201);
    for over in [over, unannounced] {
        assert_eq!(
            (over.said(), &over.body["maxBytes"]),
            ((413, "payload-too-large".into()), &json!(32 * 1024))
        );
        assert_eq!(over.body.get("maxItems"), None::<&Value>);
    }
}
