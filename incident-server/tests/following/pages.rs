//! Changes in pages.

use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    server::{Server, json_of, reader, token},
};

async fn get(server: &Server, query: &str, token: &str) -> (u16, Value) {
    let answer =
        server.get(&format!("/api/incidents/changes{query}"), token).send().await.expect("an answer");
    (answer.status().as_u16(), json_of(answer).await)
}

pub(crate) async fn a_page_shows_changes_and_where_to_go_on(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    let (_, nothing) = get(&server, "", &reader()).await;
    assert_eq!(nothing["changes"], json!([]));
    let first = server.report(0, None).await;
    let second = server.report(0, Some("false alarm")).await;
    let beginning = nothing["nextCursor"].as_str().expect("a cursor after an empty page");

    let (status, page) = get(&server, &format!("?after={beginning}"), &reader()).await;

    assert_eq!(status, 200);
    let mut incident = second.clone();
    incident["reporter"] = json!("alice");
    let [created, cancelled] = &page["changes"].as_array().expect("changes")[..] else { panic!("{page}") };
    assert_eq!(
        without_cursor(created),
        json!({"kind": "created", "at": first["receivedAt"], "incident": incident})
    );
    let expected = json!({"kind": "cancelled", "at": second["cancelledAt"], "cancellationReason": "false alarm", "incident": incident});
    assert_eq!(without_cursor(cancelled), expected);
    assert_eq!(page["nextCursor"], cancelled["cursor"]);
    let one_more = format!("?after={}&limit=1", created["cursor"].as_str().expect("a cursor"));
    assert_eq!(
        get(&server, &one_more, &reader()).await.1,
        json!({"changes": [cancelled], "nextCursor": cancelled["cursor"]})
    );
    let end = page["nextCursor"].as_str().expect("a cursor");
    assert_eq!(
        get(&server, &format!("?after={end}"), &reader()).await.1,
        json!({"changes": [], "nextCursor": end})
    );
}

fn without_cursor(change: &Value) -> Value {
    let mut change = change.clone();
    change.as_object_mut().expect("an object").remove("cursor").expect("a cursor");
    change
}

pub(crate) async fn only_those_who_may_read_all_may_follow(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    let (status, problem) = get(&server, "?limit=0", &token("alice", Some("incidents:write"))).await;
    assert_eq!(
        (status, &problem["type"], &problem["disposition"]),
        (403, &json!("/problems/forbidden"), &json!("reauth"))
    );
    assert_eq!(get(&server, "", "no token").await.0, 401);
}

pub(crate) async fn every_bad_parameter_is_named_at_once(database: &TestDatabase) {
    let store = database.open().await;
    let server = Server::start(store).await;
    for (query, pointers) in [
        ("?after=&limit=", vec!["/after", "/limit"]),
        ("?after=x", vec!["/after"]),
        ("?after=-1", vec!["/after"]),
        ("?after=1&after=2", vec!["/after"]),
        ("?limit=0", vec!["/limit"]),
        ("?limit=1001", vec!["/limit"]),
    ] {
        let (status, problem) = get(&server, query, &reader()).await;
        let named: Vec<_> =
            problem["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
        assert_eq!(
            (status, named),
            (422, pointers.iter().map(|name| json!(name)).collect::<Vec<_>>().iter().collect())
        );
    }
    assert_eq!(get(&server, "?limit=1000&unknown=1", &reader()).await.0, 200);
}
