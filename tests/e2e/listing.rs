//! Lists: newest first, filtered, page by page.

use incident_tests::{Client, Server, payload};
use serde_json::Value;

/// The field of every incident in a list, in order.
async fn listed(client: &Client, query: &str, field: &str) -> Vec<String> {
    let answer = client.get(&format!("/api/incidents{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let incidents = answer.body["incidents"].as_array().unwrap();
    incidents.iter().map(|incident| incident[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// All pages, each of at most `limit`.
async fn pages(client: &Client, limit: usize) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/incidents?limit={limit}{cursor}")).await.body;
        pages.push(page["incidents"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { return pages };
        cursor = format!("&cursor={next}");
        assert!(pages.len() < 100, "the list does not end");
    }
}

#[tokio::test]
async fn own_incidents_come_newest_first_without_the_anonymous_ones() {
    let server = Server::start().await;
    let alice = server.client("alice");
    for hour in ["11", "09", "10"] {
        alice.sync(&payload::at(&format!("2026-11-22T{hour}:00Z"))).await;
    }
    alice.sync(&payload::anonymous(payload::at("2026-11-22T12:00Z"))).await;
    server.client("bob").sync(&payload::at("2026-11-22T13:00Z")).await;

    let own = listed(&alice, "", "createdAt").await;
    let all = listed(&server.responder(), "", "createdAt").await;

    let at = |hour: &str| format!("2026-11-22T{hour}:00:00.000Z");
    assert_eq!(own, ["11", "10", "09"].map(at));
    assert_eq!(all, ["13", "12", "11", "10", "09"].map(at));
    assert!(listed(&server.client("carol"), "", "id").await.is_empty());
}

#[tokio::test]
async fn filters_narrow_the_list_and_combine() {
    let server = Server::start().await;
    let alice = server.client("alice");
    for hour in 10..14 {
        let report = payload::at(&format!("2026-11-22T{hour}:00Z"));
        let report = if hour % 2 == 0 { payload::with(report, "locationId", "ward 8/ä") } else { report };
        alice.sync(&if hour < 12 { payload::cancelled(report, "x") } else { report }).await;
    }
    // Which no filter shows to alice.
    server.client("bob").sync(&payload::at("2026-11-22T13:30Z")).await;

    for (query, hours) in [
        ("?status=Open", &["13", "12"][..]),
        ("?status=Cancelled", &["11", "10"]),
        ("?locationId=ward-7", &["13", "11"]),
        ("?locationId=ward+8%2F%C3%A4", &["12", "10"]),
        ("?locationId=nowhere", &[]),
        ("?createdAfter=2026-11-22T12:00:00Z", &["13", "12"]),
        ("?createdBefore=2026-11-22T12:00:00Z", &["11", "10"]),
        ("?createdAfter=2026-11-22T12:00:00%2B01:00&createdBefore=2026-11-22T13:00:00.000Z", &["12", "11"]),
        ("?createdAfter=2026-11-22T13:00:00Z&createdBefore=2026-11-22T10:00:00Z", &[]),
        ("?createdAfter=9999-12-31T23:59:59.999Z", &[]),
        ("?createdBefore=1970-01-01T00:00:00Z", &[]),
        ("?status=Open&locationId=ward-7", &["13"]),
        ("?unknown=1&limit=200", &["13", "12", "11", "10"]),
    ] {
        let expected: Vec<_> = hours.iter().map(|hour| format!("2026-11-22T{hour}:00:00.000Z")).collect();
        assert_eq!(listed(&alice, query, "createdAt").await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_show_everything_once_with_ties_by_id() {
    let server = Server::unlimited().await;
    for reporter in 0..12 {
        server.client(&format!("reporter {reporter}")).sync(&payload::report()).await;
    }
    for number in 0..5 {
        server.client("alice").sync(&payload::numbered(number)).await;
    }

    for limit in [1, 4, 17, 200] {
        let pages = pages(&server.responder(), limit).await;
        assert!(pages.iter().all(|page| page.len() <= limit));
        assert_eq!(pages.len(), 17_usize.div_ceil(limit), "no empty last page");
        let all = pages.concat();
        let order: Vec<_> =
            all.iter().map(|i| (i["createdAt"].as_str().unwrap(), i["id"].as_str().unwrap())).collect();
        assert_eq!(order.len(), 17);
        assert!(order.is_sorted_by(|before, after| before > after), "{order:?}");
    }
}

#[tokio::test]
async fn fifty_are_shown_unless_asked_for_more() {
    let server = Server::unlimited().await;
    let alice = server.client("alice");
    let reports: Vec<_> = (0..201).map(payload::numbered).collect();
    alice.batch(&reports).await;

    assert_eq!(listed(&alice, "", "id").await.len(), 50);
    assert_eq!(listed(&alice, "?limit=200", "id").await.len(), 200);
}

#[tokio::test]
async fn a_page_is_not_disturbed_by_what_comes_later() {
    let server = Server::start().await;
    let alice = server.client("alice");
    for number in [10, 20, 30] {
        alice.sync(&payload::numbered(number)).await;
    }
    let first = alice.get("/api/incidents?limit=2").await.body;
    alice.sync(&payload::numbered(40)).await;

    let query = format!("?limit=2&cursor={}", first["nextCursor"].as_str().unwrap());
    let second = listed(&alice, &query, "createdAt").await;

    assert_eq!(second, [payload::numbered(10)["createdAt"].as_str().unwrap()]);
}

#[tokio::test]
async fn every_bad_value_of_the_query_is_named() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let query = "?limit=0&status=open&createdAfter=yesterday&createdBefore=&cursor=!&locationId=%20";

    let all = alice.get(&format!("/api/incidents{query}")).await;

    assert_eq!(all.said(), (422, "validation-failed".into()));
    let mut pointers: Vec<_> = all.errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["/createdAfter", "/createdBefore", "/cursor", "/limit", "/locationId", "/status"]);
    for bad in [
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.5",
        "limit=99999999999999999999",
        "limit=1&limit=2",
        "status=",
        "cursor=",
        "cursor=AAAA",
        "locationId=",
        "locationId=%00",
        "createdAfter=2026-11-22T12:00:00+01:00",
    ] {
        let answer = alice.get(&format!("/api/incidents?{bad}")).await;
        let name = format!("/{}", bad.split('=').next().unwrap());
        assert_eq!(
            (answer.status, answer.errors()[0].0.as_str(), answer.errors().len()),
            (422, name.as_str(), 1),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_value_that_is_not_utf8_is_refused_with_its_name() {
    let server = Server::start().await;
    let responder = server.responder();

    for (query, name) in [
        ("incidents?locationId=ward%FF", "/locationId"),
        ("incidents?status=%C0%AF", "/status"),
        ("incidents/changes?after=%80", "/after"),
    ] {
        let refused = responder.get(&format!("/api/{query}")).await;
        assert_eq!(refused.said(), (422, "validation-failed".into()), "{query}");
        assert_eq!(refused.errors()[0].0, name);
    }
    let taken = responder.get("/api/incidents?locationId=Caf%C3%A9+%EF%BF%BD&unknown=%FF").await;
    assert_eq!(taken.status, 200, "{taken:?}");
}

#[tokio::test]
async fn every_rule_that_a_value_of_the_query_breaks_is_named() {
    let server = Server::start().await;
    let long = "x".repeat(130);

    let broken = server.client("alice").get(&format!("/api/incidents?locationId=a%01{long}")).await;
    let no_text = server.client("alice").get("/api/incidents?locationId=%ff").await;
    let beyond = server.client("alice").get("/api/incidents?limit=99999999999999999999").await;

    let mut codes: Vec<_> = broken.errors().into_iter().map(|(_, code)| code).collect();
    codes.sort();
    assert_eq!(codes, ["control-character", "too-long"]);
    assert_eq!(no_text.errors(), [("/locationId".to_owned(), "type".to_owned())]);
    assert_eq!(beyond.errors(), [("/limit".to_owned(), "out-of-range".to_owned())]);
}

#[tokio::test]
async fn a_moment_is_told_its_rule_and_of_the_plus_where_there_was_one() {
    let server = Server::start().await;
    let detail = async |moment: &str| {
        let refused = server.client("alice").get(&format!("/api/incidents?createdAfter={moment}")).await;
        refused.body["errors"][0]["detail"].as_str().unwrap().to_owned()
    };

    let (before, with_a_plus) =
        (detail("1969-12-31T23:59:59Z").await, detail("2026-11-22T12:00:00+01:00").await);

    assert!(before.contains("years 1970 to 9999") && !before.contains('+'), "{before}");
    assert!(with_a_plus.contains("a + is written %2B"), "{with_a_plus}");
}
