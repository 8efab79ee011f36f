//! Whoever follows the changes misses none: from now on, after a cut, and never in silence after a restore.

use incident_tests::{Answer, Client, Events, Server, payload};

const CHANGES: &str = "/api/incidents/changes";

async fn page(client: &Client, query: &str) -> Answer {
    client.get(&format!("{CHANGES}{query}")).await
}

fn next_cursor(page: &Answer) -> String {
    page.body["nextCursor"].as_str().unwrap_or_else(|| panic!("no page: {page:?}")).to_owned()
}

/// The ids of the incidents of a page.
fn ids(page: &Answer) -> Vec<String> {
    let changes = page.body["changes"].as_array().unwrap_or_else(|| panic!("no page: {page:?}"));
    changes.iter().map(|change| change["incident"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Somebody who may read all of a database with so many incidents, and who reports them.
async fn server_with(incidents: usize) -> Server {
    let server = Server::unlimited().await;
    for number in 0..incidents {
        assert_eq!(server.client("alice").sync(&payload::numbered(number)).await.status, 201);
    }
    server
}

#[tokio::test]
async fn latest_answers_no_changes_and_the_place_behind_them() {
    let server = server_with(3).await;
    let responder = server.responder();

    let latest = page(&responder, "?after=latest").await;
    let next = server.client("alice").sync(&payload::numbered(3)).await.id();
    let behind = page(&responder, &format!("?after={}", next_cursor(&latest))).await;

    assert_eq!((latest.status, ids(&latest)), (200, vec![]));
    assert_eq!(ids(&behind), [next]);
}

#[tokio::test]
async fn latest_of_an_empty_database_is_its_beginning() {
    let server = server_with(0).await;
    let responder = server.responder();
    let latest = next_cursor(&page(&responder, "?after=latest").await);
    let first = server.client("alice").sync(&payload::report()).await.id();

    assert_eq!(ids(&page(&responder, &format!("?after={latest}")).await), [first]);
}

#[tokio::test]
async fn a_stream_from_latest_begins_with_the_next_change() {
    let server = server_with(3).await;
    let mut events = Events::open(&server.responder(), "?after=latest", None).await.ok().unwrap();

    for number in 3..6 {
        let reported = server.client("alice").sync(&payload::numbered(number)).await.id();
        assert_eq!(events.next().await.change["incident"]["id"], reported);
    }
}

/// What is reported while a stream is opened is in the stream or before it, and never in neither.
#[tokio::test]
async fn nothing_falls_between_latest_and_the_stream_while_others_write() {
    const REPORTS: usize = 200;
    let server = server_with(0).await;
    let responder = server.responder();
    let alice = server.client("alice");
    let writing = tokio::spawn(async move {
        for number in 0..REPORTS {
            alice.sync(&payload::numbered(number)).await;
        }
    });
    incident_tests::until("some are written", async || {
        (!ids(&page(&responder, "").await).is_empty()).then_some(())
    })
    .await;

    let latest = next_cursor(&page(&responder, "?after=latest").await);
    let before = ids(&page(&responder, "?limit=1000").await);
    let mut events = Events::open(&responder, &format!("?after={latest}"), None).await.ok().unwrap();
    writing.await.unwrap();
    let all = ids(&page(&responder, "?limit=1000").await);

    let first = events.next().await.change["incident"]["id"].as_str().unwrap().to_owned();
    let begins = all.iter().position(|id| *id == first).unwrap();
    assert!(begins <= before.len(), "the stream begins at {begins}, {} were read before it", before.len());
    for id in &all[begins + 1..] {
        assert_eq!(events.next().await.change["incident"]["id"], *id);
    }
    assert_eq!(all.len(), REPORTS);
}

#[tokio::test]
async fn the_header_of_a_browser_that_connects_again_wins() {
    let server = server_with(4).await;
    let responder = server.responder();
    let all = page(&responder, "").await;
    let second = all.body["changes"][1]["cursor"].as_str().unwrap();

    for query in ["", "?after=latest", "?after=0", "?after=17"] {
        let mut resumed = Events::open(&responder, query, Some(second)).await.ok().unwrap();
        assert_eq!(resumed.next().await.change, all.body["changes"][2], "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_database_is_gone_in_pages_and_streams() {
    let (here, elsewhere) = (server_with(2).await, server_with(2).await);
    let foreign = next_cursor(&page(&elsewhere.responder(), "?limit=1").await);
    let (responder, query) = (here.responder(), format!("?after={foreign}"));

    let in_page = page(&responder, &query).await;
    let in_stream = Events::open(&responder, &query, None).await.err().unwrap();
    let in_header = Events::open(&responder, "", Some(&foreign)).await.err().unwrap();

    for refused in [in_page, in_stream, in_header] {
        assert_eq!(refused.said(), (410, "cursor-gone".into()));
        assert_eq!(refused.body["disposition"], "retry");
    }
}

#[tokio::test]
async fn a_cursor_that_was_not_given_out_yet_is_gone() {
    let server = server_with(2).await;
    let responder = server.responder();
    let newest = next_cursor(&page(&responder, "").await);

    let ahead = page(&responder, &format!("?after={newest}0000")).await;

    assert_eq!(ahead.said(), (410, "cursor-gone".into()));
    assert_eq!(page(&responder, &format!("?after={newest}")).await.status, 200);
}

/// Version 0.1 gave out bare positions; only the beginning is one place in every database.
#[tokio::test]
async fn a_cursor_of_version_0_1_is_gone_but_for_the_beginning() {
    let server = server_with(2).await;
    let responder = server.responder();

    assert_eq!(ids(&page(&responder, "?after=0").await).len(), 2);
    assert_eq!(page(&responder, "?after=1").await.said(), (410, "cursor-gone".into()));
}

#[tokio::test]
async fn a_text_that_is_no_cursor_is_named_as_such() {
    let server = server_with(1).await;
    let responder = server.responder();

    for bad in ["x", "", "-1", "latest%20", "LATEST", "1-", "a-1x"] {
        let refused = page(&responder, &format!("?after={bad}")).await;
        assert_eq!(refused.errors(), [("/after".to_owned(), "unknown-value".to_owned())], "{bad}");
    }
    let header = Events::open(&responder, "", Some("latest")).await.err().unwrap();
    assert_eq!(header.errors()[0].0, "/Last-Event-ID");
}

#[tokio::test]
async fn a_cursor_outlives_the_server() {
    let server = server_with(2).await;
    let first = next_cursor(&page(&server.responder(), "?limit=1").await);

    let server = server.kill_and_restart().await;

    assert_eq!(ids(&page(&server.responder(), &format!("?after={first}")).await).len(), 1);
}
