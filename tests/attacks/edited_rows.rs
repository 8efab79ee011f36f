//! A hand in the database: what it did to one incident costs that incident alone, whoever reports meanwhile.

use incident_tests::{Answer, Server, Setup, payload};
use tokio::task::JoinSet;

const INNOCENT: usize = 600;
const GUILTY: usize = INNOCENT;
/// People who report; one has no more than a few hundred requests under way.
const PEOPLE: usize = 6;

const NO_MOMENT: &str =
    "UPDATE incidents SET received_at_ms = 9223372036854775807 WHERE cancelled_at_ms IS NOT NULL";
/// What no payload may have; the types are right.
const NO_RULE_ALLOWS: &str = "
    UPDATE incidents SET location_id = '', room_number = ' ', longitude_e7 = 2000000000
    WHERE cancelled_at_ms IS NOT NULL";
const HISTORY_DELETED: &str = "DELETE FROM history WHERE kind <> 'created'";
const REASON_REDACTED: &str = "
    UPDATE incidents SET cancellation_reason = NULL WHERE cancelled_at_ms IS NOT NULL;
    UPDATE history SET cancellation_reason = NULL";

/// A server that holds the reports of everybody; one incident was called off, and called off again for another reason.
async fn filled(setup: Setup) -> Server {
    let server = setup.flag("--rate-limit", "off").flag("--payload-rate-limit", "off").start().await;
    assert!(sync_all(&server).await.iter().all(|answer| answer.status == 201));
    for reason in ["no fire", "no smoke either"] {
        assert_eq!(sync_guilty(&server, reason).await.status, 200);
    }
    server
}

/// All innocent reports at once.
async fn sync_all(server: &Server) -> Vec<Answer> {
    let mut sending = JoinSet::new();
    let people: Vec<_> = (0..PEOPLE).map(|person| server.client(&format!("nurse {person}"))).collect();
    for number in 0..INNOCENT {
        let nurse = people[number % PEOPLE].clone();
        sending.spawn(async move { nurse.sync(&payload::numbered(number)).await });
    }
    sending.join_all().await
}

async fn sync_guilty(server: &Server, reason: &str) -> Answer {
    let guilty = server.client("mallory");
    let created = guilty.sync(&payload::numbered(GUILTY)).await;
    if created.status > 299 {
        return created;
    }
    guilty.sync(&payload::cancelled(payload::numbered(GUILTY), reason)).await
}

/// The answer to the edited incident's sync, after all others were sent beside many of it and nobody was harmed.
async fn edited(setup: Setup, edit: &str) -> (Server, Answer) {
    let server = filled(setup).await;
    server.database().session().await.run_past_checks(edit).await;

    let guilty = async {
        for number in 0..20 {
            sync_guilty(&server, &format!("reason {number}")).await;
        }
        sync_guilty(&server, "the last one").await
    };
    let (innocent, guilty) = tokio::join!(sync_all(&server), guilty);

    let unharmed = innocent.iter().filter(|answer| answer.said() == (200, "unchanged".into())).count();
    assert!(unharmed * 100 >= INNOCENT * 99, "{unharmed} of {INNOCENT} were unharmed");
    for path in ["/api/incidents/changes?limit=1000", "/api/incidents?limit=200"] {
        let read = server.responder().get(path).await;
        assert_eq!(read.status, 200, "{read:?}");
    }
    (server, guilty)
}

async fn a_row_that_no_rule_allows(setup: Setup) {
    let (_server, guilty) = edited(setup, NO_RULE_ALLOWS).await;

    assert_eq!(guilty.said(), (409, "idempotency-conflict".into()), "what is stored is believed");
}

async fn a_moment_that_is_none(setup: Setup) {
    let (server, guilty) = edited(setup, NO_MOMENT).await;

    assert_eq!(guilty.said(), (500, "internal".into()));
    server.logs("the column received_at_ms of incidents cannot be read in the row").await;
}

async fn a_history_that_was_deleted(setup: Setup) {
    let (_server, guilty) = edited(setup, HISTORY_DELETED).await;

    assert_eq!(guilty.said(), (200, "alreadyCancelled".into()));
}

async fn a_reason_that_was_redacted(setup: Setup) {
    let (server, guilty) = edited(setup, REASON_REDACTED).await;

    assert_eq!(guilty.said(), (200, "alreadyCancelled".into()));
    let changes = server.responder().get("/api/incidents/changes?limit=1000").await;
    let kinds = changes.body["changes"].as_array().expect("changes");
    assert!(kinds.iter().any(|change| change["kind"] == "cancelled"));
}

/// A text that the database does not hold, as a Greek name of a ward was for one that holds Latin letters only.
async fn a_text_that_is_refused(setup: Setup, refuse: &str) {
    let server = setup.flag("--rate-limit", "off").flag("--payload-rate-limit", "off").start().await;
    server.database().session().await.run(refuse).await;
    let guilty = async {
        let (mallory, mut answers) = (server.client("mallory"), Vec::new());
        for number in 0..20 {
            let report = payload::with(payload::numbered(GUILTY + number), "locationId", "πύλη");
            answers.push(mallory.sync(&report).await);
        }
        answers
    };

    let (innocent, guilty) = tokio::join!(sync_all(&server), guilty);

    let unharmed = innocent.iter().filter(|answer| answer.status == 201).count();
    assert!(unharmed * 100 >= INNOCENT * 99, "{unharmed} of {INNOCENT} were unharmed");
    assert!(guilty.iter().all(|answer| answer.said() == (500, "internal".into())), "{guilty:?}");
    assert!(!server.log().contains("πύλη"));
}

/// The database answers an update with success and does nothing: nobody is asked again without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_never_changes_keeps_nobody_busy_on_postgres() {
    let nothing = "
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER nothing BEFORE UPDATE ON incidents FOR EACH ROW EXECUTE FUNCTION nothing()";

    let (server, guilty) = edited(Setup::on_postgres(), nothing).await;

    assert_eq!(guilty.said(), (500, "internal".into()));
    server.logs("changes whenever it is written").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_refused_costs_its_report_alone_on_sqlite() {
    let refuse = "
        CREATE TRIGGER no_greek BEFORE INSERT ON incidents WHEN NEW.location_id = 'πύλη'
        BEGIN SELECT RAISE(ABORT, 'no'); END";
    a_text_that_is_refused(Setup::on_sqlite(), refuse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_refused_costs_its_report_alone_on_postgres() {
    // A character that the encoding lacks, a constraint, a limit.
    let refuse = "
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'no' USING ERRCODE = (ARRAY['22P05', '23514', '54000'])[1 + NEW.created_at_ms % 3];
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON incidents FOR EACH ROW
        WHEN (NEW.location_id = 'πύλη') EXECUTE FUNCTION refuse()";
    a_text_that_is_refused(Setup::on_postgres(), refuse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_no_rule_allows_is_believed_on_sqlite() {
    a_row_that_no_rule_allows(Setup::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_no_rule_allows_is_believed_on_postgres() {
    a_row_that_no_rule_allows(Setup::on_postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_that_is_none_costs_its_incident_alone_on_sqlite() {
    a_moment_that_is_none(Setup::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_that_is_none_costs_its_incident_alone_on_postgres() {
    a_moment_that_is_none(Setup::on_postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_was_deleted_is_missed_by_nobody_on_sqlite() {
    a_history_that_was_deleted(Setup::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_was_deleted_is_missed_by_nobody_on_postgres() {
    a_history_that_was_deleted(Setup::on_postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_that_was_redacted_stops_no_reader_on_sqlite() {
    a_reason_that_was_redacted(Setup::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_that_was_redacted_stops_no_reader_on_postgres() {
    a_reason_that_was_redacted(Setup::on_postgres()).await;
}
