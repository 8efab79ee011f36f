//! Lists at every moment of a turn, after a crash, a failure and other hands, and in a file that was made before them.

use std::{fs, path::Path, sync::Arc};

use incident_core::{IdSecret, IdempotencyKey, IncidentId, LocationId, Reporter, Status, Timestamp, decode};
use sqlx::{Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::*;
use crate::store::{ListQuery, SqliteStore, Store, SyncItem, migrations};

const FIRST_MS: i64 = 1_795_392_000_000;
/// A turn of several commits, and more of a reporter waiting than a page has: else lists are never asked within one.
const TURN_SIZE: usize = 36;

/// What is reported as the nth; some are anonymous, and ids go back and forth in time.
fn item(n: i64, cancelled: bool) -> SyncItem {
    let created_at = Timestamp::from_unix_ms(FIRST_MS + n * 7919 % 1000 * 1000).unwrap();
    let reporter = Arc::new(Reporter::parse(&format!("reporter-{}", n % 3)).unwrap());
    let mut payload = serde_json::json!({
        "locationId": format!("location-{}", n % 2),
        "gpsCoordinates": { "type": "Point", "coordinates": [1, 2] },
        "isAnonymous": n % 5 == 4,
        "createdAt": created_at.to_string(),
    });
    if cancelled {
        payload["cancellationReason"] = "false alarm".into();
    }
    let payload = decode(payload.to_string().as_bytes()).unwrap().payload;
    let key = IdempotencyKey::derive(&reporter, created_at);
    SyncItem { id: IncidentId::derive(&IdSecret::new(&[1; 32]).unwrap(), key.into()), reporter, payload }
}

async fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(SqliteConnectOptions::new().filename(file), TURN_SIZE).await.unwrap()
}

/// All pages, small ones.
async fn listed(store: &SqliteStore, query: &ListQuery) -> Vec<IncidentId> {
    let (mut all, mut query) = (Vec::new(), ListQuery { limit: 3, ..query.clone() });
    loop {
        let page = store.incidents(&query).await.unwrap();
        all.extend(page.incidents.iter().map(|one| one.id));
        query.after = page.next;
        if query.after.is_none() {
            return all;
        }
    }
}

/// What was stored, as a list has it.
struct Known {
    n: i64,
    item: SyncItem,
    cancelled: bool,
}

fn expected(all: &[Known], query: &ListQuery) -> Vec<IncidentId> {
    let fits = |one: &&Known| {
        let facts = &one.item.payload.facts;
        let is_theirs = |wanted: &Arc<Reporter>| !facts.is_anonymous && *wanted == one.item.reporter;
        query.reporter.as_ref().is_none_or(is_theirs)
            && query.location_id.as_ref().is_none_or(|wanted| *wanted == facts.location_id)
            && query.status.is_none_or(|wanted| (wanted == Status::Cancelled) == one.cancelled)
    };
    let mut ids: Vec<_> = all.iter().filter(fits).map(|one| one.item.id).collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids
}

fn queries() -> Vec<ListQuery> {
    let reporters = [None, Some("reporter-0"), Some("reporter-1")];
    let locations = [None, Some("location-0"), Some("location-1")];
    let mut all = Vec::new();
    for reporter in reporters {
        for location in locations {
            for status in [None, Some(Status::Open), Some(Status::Cancelled)] {
                let reporter = reporter.map(|text| Arc::new(Reporter::parse(text).unwrap()));
                let location_id = location.map(|text| LocationId::parse(text).unwrap());
                all.push(ListQuery { reporter, status, location_id, ..ListQuery::default() });
            }
        }
    }
    all
}

async fn assert_lists(store: &SqliteStore, all: &[Known], when: &str) {
    for query in queries() {
        assert_eq!(listed(store, &query).await, expected(all, &query), "{when}: {query:?}");
    }
}

#[tokio::test]
async fn lists_are_whole_before_a_turn_within_it_and_after_it_and_after_a_crash() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("incidents.sqlite");
    let (mut store, mut all) = (open(&file).await, Vec::<Known>::new());
    for n in 0..100 {
        let cancelled = n % 7 == 3;
        let item = item(n, cancelled);
        store.sync(std::slice::from_ref(&item), Timestamp::MIN).await.unwrap();
        all.push(Known { n, item, cancelled });
        if n % 4 == 3 {
            // One that waits, one of a turn, one that is listed.
            for known in all.iter_mut().rev().skip(2).step_by(13) {
                known.cancelled = true;
                store.sync(&[self::item(known.n, true)], Timestamp::MIN).await.unwrap();
            }
        }
        if n % 11 == 10 {
            for at in [all.len() - 2, all.len() / 2] {
                let gone = all.remove(at);
                store.erase(&[gone.item.id], Timestamp::MIN).await.unwrap();
            }
        }
        assert_lists(&store, &all, &format!("after {n}")).await;
        if n % 17 == 16 {
            let crashed = folder.path().join(format!("crashed-{n}.sqlite"));
            for end in ["", "-wal"] {
                let side = |path: &Path| format!("{}{end}", path.display());
                fs::copy(side(&file), side(&crashed)).unwrap();
            }
            assert_lists(&open(&crashed).await, &all, &format!("after a crash after {n}")).await;
        }
        if n % 41 == 40 {
            store.close().await;
            store = open(&file).await;
            assert_lists(&store, &all, &format!("after a restart after {n}")).await;
        }
    }
}

#[tokio::test]
async fn what_was_not_committed_does_not_wait_to_be_listed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("incidents.sqlite");
    let (store, all) = (open(&file).await, Known { n: 1, item: item(1, false), cancelled: false });
    store.sync(std::slice::from_ref(&all.item), Timestamp::MIN).await.unwrap();
    let mut by_hand = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::raw_sql(refuse).execute(&mut by_hand).await.unwrap();

    for n in 2..9 {
        store.sync(&[item(n, false)], Timestamp::MIN).await.unwrap_err();
        assert!(store.unlisted.waiting() <= 2, "{n}");
    }

    sqlx::raw_sql("DROP TRIGGER full").execute(&mut by_hand).await.unwrap();
    store.ready().await.unwrap();
    assert_eq!(store.unlisted.waiting(), 0);
    assert_lists(&store, &[all], "after failures").await;
}

#[tokio::test]
async fn what_others_change_by_hand_is_listed_as_it_is() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("incidents.sqlite");
    let store = open(&file).await;
    let mut all: Vec<_> = (0..60).map(|n| Known { n, item: item(n, true), cancelled: true }).collect();
    for one in &all {
        store.sync(std::slice::from_ref(&one.item), Timestamp::MIN).await.unwrap();
    }
    let mut by_hand = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let change = "UPDATE incidents SET cancelled_at_ms = NULL, cancellation_reason = NULL;
        UPDATE incidents SET location_id = 'location-1' WHERE location_id = 'location-0';
        UPDATE incidents SET reporter = 'reporter-0' WHERE reporter = 'reporter-1';
        DELETE FROM incidents WHERE id = (SELECT min(id) FROM incidents)";
    sqlx::raw_sql(change).execute(&mut by_hand).await.unwrap();
    for one in &mut all {
        one.cancelled = false;
        one.item.payload.facts.location_id = LocationId::parse("location-1").unwrap();
        if one.item.reporter.as_str() == "reporter-1" {
            one.item.reporter = Arc::new(Reporter::parse("reporter-0").unwrap());
        }
    }
    all.sort_by_key(|one| one.item.id);
    all.remove(0);

    store.close().await;
    assert_lists(&open(&file).await, &all, "changed by hand").await;
}

#[tokio::test]
async fn the_indexes_of_an_older_file_become_the_lists_as_they_are() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("incidents.sqlite");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    let steps = migrations::SQLITE.iter().take(4).cloned().collect();
    sqlx::migrate::Migrator::with_migrations(steps).run(&mut old).await.unwrap();
    let all: Vec<_> =
        (0..200).map(|n| Known { n, item: item(n, n % 9 == 1), cancelled: n % 9 == 1 }).collect();
    for Known { item, cancelled, .. } in &all {
        let facts = &item.payload.facts;
        let insert = "INSERT INTO incidents VALUES (?, ?, ?, NULL, 0, 0, ?, ?, 0, 0, ?, ?, NULL)";
        let reporter = (!facts.is_anonymous).then(|| item.reporter.as_str());
        let insert = sqlx::query(insert).bind(item.id.as_bytes().to_vec()).bind(reporter);
        let insert = insert.bind(facts.location_id.as_str()).bind(facts.is_anonymous);
        let insert = insert.bind(facts.created_at.unix_ms());
        let insert = insert.bind(cancelled.then_some(1)).bind(cancelled.then_some("x"));
        insert.execute(&mut old).await.unwrap();
    }
    old.close().await.unwrap();

    let store = open(&file).await;
    assert_lists(&store, &all, "as it was").await;
    store.close().await;
    let mut found = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut found).await.unwrap();
    assert_eq!(check, "ok");
}
