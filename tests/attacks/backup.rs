//! A backup while others write without a pause: it ends, and has all that was acknowledged before it began.

use std::{
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use incident_tests::{Client, Program, Setup, payload, until};

/// Reports one after the other, 40 a second, as a small hospital does on its worst day.
async fn report(client: Client, acknowledged: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    let mut pace = tokio::time::interval(Duration::from_millis(25));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = acknowledged.load(Ordering::SeqCst);
        assert_eq!(client.sync(&payload::numbered(number)).await.status, 201);
        acknowledged.store(number + 1, Ordering::SeqCst);
    }
}

/// 300 MB, as 500,000 reports of half a year make.
const FILL: &str = "
    CREATE TEMP TABLE moments AS
    WITH RECURSIVE numbers (n) AS (
        SELECT 0
        UNION ALL
        SELECT n + 1 FROM numbers WHERE n < 499999
    )
    SELECT
        1732320000000 + n * 1000 AS created_at_ms,
        unhex(printf('%012x', 1732320000000 + n * 1000) || '80008000' || printf('%012x', n)) AS id
    FROM numbers;
    INSERT INTO incidents (
        id, reporter, location_id, room_number, longitude_e7, latitude_e7, is_anonymous,
        created_at_ms, received_at_ms, clock_suspect, cancelled_at_ms, cancellation_reason
    )
    SELECT
        id, 'nurse-' || (created_at_ms % 997) || '@hospital.example.org', 'building-7/ward-' || (created_at_ms % 89),
        'room 12B', 124924000, 418902000, 0, created_at_ms, created_at_ms + 1000, 0, created_at_ms + 9000,
        'a false alarm: somebody leaned against the button while the bed was moved to another room'
    FROM moments;
    INSERT INTO history (incident_id, kind, at_ms) SELECT id, 'created', created_at_ms + 1000 FROM moments;
    INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
    SELECT id, 'cancelled', cancelled_at_ms, cancellation_reason FROM incidents";
const MIB: u64 = 1024 * 1024;

/// Stores them before the server starts that the test is about.
async fn filled(setup: &Setup) {
    setup.clone().start().await.stop().await;
    setup.database().session().await.run(format!("BEGIN; {FILL}; COMMIT")).await;
    // It lists them.
    setup.clone().start().await.stop().await;
    let bytes = std::fs::metadata(setup.data_dir().join("incidents.sqlite")).unwrap().len();
    assert!(bytes > 300 * MIB, "only {} MiB", bytes / MIB);
}

/// How long it takes is said by the time that it has a processor, for the machine may be anybody's.
fn backup_and_times(setup: &Setup, file: &Path) -> Program {
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    Program::in_shell(r#""$SERVER" backup "$FILE"; status=$?; times; exit $status"#)
        .env("SERVER", &text(&Program::file()))
        .env("FILE", &text(file))
        .env("INCIDENT_DATA_DIR", &text(setup.data_dir()))
}

/// Of the children of a shell, as its `times` says in the second line: for themselves, and for them in the kernel.
fn processor_seconds(said: &[u8]) -> f64 {
    let said = String::from_utf8_lossy(said);
    let times = said.trim_end().lines().last().expect("two lines of times").split_whitespace();
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    times.map(|time| seconds(time).expect("minutes and seconds")).sum()
}

/// Asks it to end as soon as something of its file is in the folder.
async fn interrupted(run: Program, signals: &[&str], folder: &Path) -> std::process::Output {
    let is_part = |file: std::io::Result<std::fs::DirEntry>| {
        file.unwrap().file_name().to_string_lossy().contains(".part").then_some(())
    };
    let mut run = run.start();
    until("it writes", async || std::fs::read_dir(folder).unwrap().find_map(is_part)).await;
    for signal in signals {
        run.signal(signal).await;
    }
    let status = run.end().await;
    std::process::Output { status, stdout: run.out().into(), stderr: run.log().into() }
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    names
}

/// A terminal that is gone sends SIGHUP, mostly twice.
#[tokio::test]
async fn who_ends_a_backup_an_export_or_a_restore_finds_nothing_of_it_in_the_folder() {
    let setup = Setup::on_sqlite();
    filled(&setup).await;
    let folder = tempfile::TempDir::new().unwrap();
    let elsewhere = tempfile::TempDir::new().unwrap();
    let backup = elsewhere.path().join("incidents.sqlite");
    std::fs::copy(setup.data_dir().join("incidents.sqlite"), &backup).unwrap();
    let database = std::fs::metadata(setup.data_dir().join("incidents.sqlite")).unwrap().ino();

    for (command, file, folder) in [
        ("backup", &folder.path().join("incidents"), folder.path()),
        ("export", &folder.path().join("incidents"), folder.path()),
        ("restore", &backup, setup.data_dir()),
    ] {
        for signals in [&["TERM"][..], &["HUP", "HUP"]] {
            let before = names(folder);

            let ended = interrupted(setup.program().args([command]).args([file]), signals, folder).await;

            assert_eq!(ended.status.code(), Some(1), "{command} {signals:?}: {ended:?}");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(said.contains("a signal asked for an end"), "{command} {signals:?}: {said}");
            assert_eq!(names(folder), before, "{command} {signals:?}");
        }
    }
    assert_eq!(std::fs::metadata(setup.data_dir().join("incidents.sqlite")).unwrap().ino(), database);
}

#[tokio::test]
async fn a_backup_under_load_ends_and_has_all_that_was_acknowledged_before_it_began() {
    let (setup, elsewhere) = (Setup::on_sqlite().flag("--rate-limit", "off"), Setup::on_sqlite());
    filled(&setup).await;
    let server = setup.clone().start().await;
    let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn(report(server.client("alice"), Arc::clone(&acknowledged), Arc::clone(&stop)));
    until("some are acknowledged", async || (acknowledged.load(Ordering::SeqCst) > 50).then_some(())).await;
    let file = elsewhere.data_dir().join("incidents.sqlite");

    let before = acknowledged.load(Ordering::SeqCst);
    let backup = backup_and_times(&setup, &file).output().await;
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();

    assert!(backup.status.success(), "{backup:?}");
    let seconds = processor_seconds(&backup.stdout);
    println!("the backup of 300 MB took {seconds} s of a processor");
    assert!(seconds < 10.0, "{seconds} s");
    std::fs::copy(setup.data_dir().join("id.secret"), elsewhere.data_dir().join("id.secret")).unwrap();
    let restored = elsewhere.flag("--rate-limit", "off").start().await;
    let reports: Vec<_> = (0..before).map(payload::numbered).collect();
    for reports in reports.chunks(100) {
        let answer = restored.client("alice").batch(reports).await;
        let results = answer.body["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["outcome"] == "unchanged"), "{answer:?}");
    }
}
