//! What the reading routes ask a store for.

use incident_core::{Change, EventKind, IncidentId, LocationId, Status};
use incident_server::store::{ListQuery, Store};

use crate::support::{
    database::TestDatabase,
    report::{cancelled, elsewhere, moment, report, sync},
};

async fn ids(store: &dyn Store, query: &ListQuery) -> Vec<IncidentId> {
    store
        .incidents(query)
        .await
        .expect("the database answers")
        .incidents
        .iter()
        .map(|stored| stored.id)
        .collect()
}

pub(crate) async fn a_list_is_newest_first_and_pages_without_gap_or_repeat(database: &TestDatabase) {
    let store = database.open().await;
    // Two reporters in each millisecond: ties are ordered by id. Open ones and cancelled ones are in one list.
    let reports: Vec<_> = (0..40)
        .map(|number| report(if number % 2 == 0 { "alice" } else { "bob" }, number / 2))
        .enumerate()
        .map(|(number, report)| if number % 3 == 0 { cancelled(&report, "x") } else { report })
        .collect();
    sync(&*store, &reports).await;
    let mut expected: Vec<_> = reports.iter().map(|report| report.id).collect();
    expected.sort_unstable_by(|one, other| other.cmp(one));

    let mut seen = Vec::new();
    while seen.len() <= expected.len() {
        let query = ListQuery { after: seen.last().copied(), limit: 7, ..ListQuery::default() };
        let page = ids(&*store, &query).await;
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }

    assert_eq!(seen, expected);
}

pub(crate) async fn a_list_shows_what_its_filters_say(database: &TestDatabase) {
    let store = database.open().await;
    let (first, second) = (report("alice", 0), cancelled(&report("alice", 1000), "x"));
    let (third, mut hidden) = (elsewhere(&report("bob", 2000)), report("alice", 3000));
    hidden.payload.facts.is_anonymous = true;
    sync(&*store, &[first.clone(), second.clone(), third.clone(), hidden.clone()]).await;
    let all = ListQuery { limit: 10, ..ListQuery::default() };
    let gate = Some(LocationId::parse("gate").unwrap());
    let cases = [
        (all.clone(), vec![hidden.id, third.id, second.id, first.id]),
        (ListQuery { reporter: Some(first.reporter.clone()), ..all.clone() }, vec![second.id, first.id]),
        (ListQuery { status: Some(Status::Cancelled), ..all.clone() }, vec![second.id]),
        (ListQuery { status: Some(Status::Open), ..all.clone() }, vec![hidden.id, third.id, first.id]),
        (ListQuery { location_id: gate, ..all.clone() }, vec![third.id]),
        (
            ListQuery { created_after: Some(moment(1000)), ..all.clone() },
            vec![hidden.id, third.id, second.id],
        ),
        (ListQuery { created_before: Some(moment(1000)), ..all.clone() }, vec![first.id]),
        (ListQuery { after: Some(third.id), status: Some(Status::Open), ..all }, vec![first.id]),
    ];
    for (number, (query, expected)) in cases.into_iter().enumerate() {
        assert_eq!(ids(&*store, &query).await, expected, "case {number}");
    }
}

pub(crate) async fn a_history_tells_what_happened_in_order(database: &TestDatabase) {
    let store = database.open().await;
    let one = report("alice", 0);
    for (second, step) in (0..).zip([one.clone(), cancelled(&one, "x"), cancelled(&one, "y")]) {
        store.sync(&[step], moment(second * 1000)).await.unwrap();
    }

    let history = store.history(one.id).await.unwrap();

    let kinds: Vec<_> = history.iter().map(|event| event.change.kind()).collect();
    assert_eq!(kinds, [EventKind::Created, EventKind::Cancelled, EventKind::CancellationRestated]);
    let moments: Vec<_> = history.iter().map(|event| event.at).collect();
    assert_eq!(moments, [moment(0), moment(1000), moment(2000)]);
    let reasons: Vec<_> = history.iter().filter_map(|event| Change::reason(&event.change)).collect();
    assert_eq!(reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>(), ["x", "y"]);
}

pub(crate) async fn an_id_that_is_not_there_is_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let id = report("alice", 0).id;
    assert!(store.incident(id).await.unwrap().is_none());
    assert!(store.history(id).await.unwrap().is_empty());
}
