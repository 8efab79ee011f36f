//! The first start, the subcommands, and what is said when it cannot start.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Output};

use incident_tests::{Answer, Client, Program, Server, Setup, payload};

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

pub(crate) fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// The program refused to start: one line for people, no panic, another status than 0.
pub(crate) fn refused(output: &Output, because: &str) {
    let said = text(&output.stderr);
    assert!(!output.status.success());
    let line = said.lines().find(|line| line.starts_with("incident-server: ") || line.starts_with("error: "));
    assert!(line.is_some_and(|line| line.contains(because)), "{because}: {said}");
    assert!(!said.contains("panicked") && output.stdout.is_empty(), "{said}");
}

#[tokio::test]
async fn the_first_start_makes_secrets_that_only_the_owner_can_read() {
    let parent = tempfile::TempDir::new().unwrap();
    let data_dir = parent.path().join("incident-data");
    let mut run =
        Program::new().args(["--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()]).start();
    incident_tests::until("it listens", async || run.out().contains("listens on").then_some(())).await;
    run.kill().await;
    let server = Server::start().await;

    assert_eq!(mode(&data_dir), 0o700);
    for file in ["hs256.secret", "id.secret"] {
        assert_eq!(mode(&server.data_dir().join(file)), 0o600, "{file}");
    }
    assert!(server.secret().len() >= 32);
    assert!(!server.log().contains("others than its owner"), "{}", server.log());
}

#[tokio::test]
async fn the_printed_example_works_when_it_is_pasted() {
    let mut server = Server::start().await;
    let printed = incident_tests::until("the example is printed", async || {
        let out = server.run().out();
        let (_, example) = out.split_once("\ncurl ")?;
        example.split_once("\n\n").map(|(example, _)| format!("curl {example}"))
    })
    .await;

    let pasted = tokio::process::Command::new("bash").args(["-c", &printed]).output().await.unwrap();

    assert!(text(&pasted.stdout).starts_with("HTTP/1.1 201 Created"), "{printed}: {pasted:?}");
    assert!(text(&pasted.stdout).contains(r#""outcome":"created""#));
}

#[tokio::test]
async fn a_token_is_printed_to_a_terminal_alone_and_only_where_its_secret_was_just_made() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let file = Program::file();
    let line = format!("{} --listen 127.0.0.1:0 --data-dir {}", file.display(), data_dir.path().display());
    let seen_by = async |command: &str| {
        let mut run = Program::in_shell(command).start();
        let said = |said: String| said.contains("the board of responders").then_some(said);
        let said = incident_tests::until("all is printed", async || said(run.out())).await;
        run.terminate().await;
        run.end().await;
        until_nobody_has(&data_dir.path().join("incidents.sqlite-lock")).await; // script(1) ends before its child
        said
    };
    let in_a_terminal = format!("exec script -qefc 'exec {line}' /dev/null");

    let first = seen_by(&in_a_terminal).await;
    let second = seen_by(&in_a_terminal).await;
    let into_a_pipe = seen_by(&format!("rm {}/hs256.secret; exec {line}", data_dir.path().display())).await;

    assert!(first.contains("Bearer ey"), "{first}");
    for said in [second, into_a_pipe] {
        assert!(!said.contains("Bearer ey") && said.contains("Bearer $("), "{said}");
    }
}

/// Waits for the end of the server that holds the lock.
#[expect(clippy::disallowed_methods, reason = "no server runs on Android")]
async fn until_nobody_has(lock: &std::path::Path) {
    let lock = std::fs::File::open(lock).unwrap();
    incident_tests::until("the server has ended", async || lock.try_lock().ok()).await;
}

#[tokio::test]
async fn the_printed_token_command_works_in_a_directory_with_a_strange_name() {
    let mut server = Server::start().await;
    let printed = incident_tests::until("the command is printed", async || {
        let out = server.run().out();
        out.lines().find(|line| line.contains("incident-server token --sub responder")).map(str::to_owned)
    })
    .await;

    let pasted = Program::in_shell(&printed).output().await;

    let responder = Client::new(server.url(), Some(text(&pasted.stdout).trim().to_owned()));
    let followed = responder.get("/api/incidents/changes").await;
    assert_eq!(followed.status, 200, "{printed}: {pasted:?}");
}

#[tokio::test]
async fn a_token_is_made_under_no_secret_that_no_server_has() {
    let nowhere = tempfile::TempDir::new().unwrap();
    let data_dir = nowhere.path().join("incident-data");
    let output = Program::new()
        .args(["token", "--sub", "alice", "--data-dir", data_dir.to_str().unwrap()])
        .output()
        .await;

    refused(&output, "start the server once, which makes its secret");
    assert!(!data_dir.exists());
}

#[tokio::test]
async fn no_token_is_made_that_has_expired() {
    let server = Server::start().await;
    let data_dir = server.data_dir();
    for ttl in ["0s", "999ms"] {
        let flags = ["token", "--sub", "alice", "--data-dir", data_dir.to_str().unwrap(), "--ttl", ttl];
        refused(&Program::new().args(flags).output().await, "1s at least");
    }
}

#[tokio::test]
async fn an_empty_variable_is_as_if_it_were_not_set() {
    let setup =
        ["INCIDENT_AUTH_JWKS", "INCIDENT_AUTH_ISSUER", "INCIDENT_AUTH_AUDIENCE", "INCIDENT_RATE_LIMIT"]
            .into_iter()
            .fold(Setup::new(), |setup, name| setup.variable(name, ""));
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn the_token_subcommand_prints_a_token_that_is_taken() {
    let server = Server::start().await;
    let created = server.client("alice").sync(&payload::report()).await;
    let data_dir = server.data_dir();
    let mint = async |more: &[&str]| {
        let flags = ["token", "--sub", "bob", "--data-dir", data_dir.to_str().unwrap()];
        let output = Program::new().args(flags).args(more).output().await;
        Client::new(server.url(), Some(text(&output.stdout).trim().to_owned()))
    };

    let answers = [
        mint(&[]).await.get(&created.header("location")).await.status,
        mint(&["--scope", "incidents:read", "--ttl", "5m"])
            .await
            .get(&created.header("location"))
            .await
            .status,
    ];

    assert_eq!(answers, [404, 200]);
}

#[tokio::test]
async fn the_openapi_subcommand_prints_what_is_served() {
    let server = Server::start().await;

    let output = Program::new().args(["openapi"]).output().await;

    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, server.get("/openapi.json").await.body);
}

#[tokio::test]
async fn a_command_whose_output_has_no_room_fails() {
    for command in ["openapi >/dev/full", "--data-dir /proc/none 2>/dev/full"] {
        let output = Program::in_shell(&format!("'{}' {command}", Program::file().display())).output().await;

        assert_eq!(output.status.code(), Some(1), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let server = Server::start().await;

    let data_dir = tempfile::TempDir::new().unwrap();
    let flags = ["--listen", server.address(), "--data-dir", data_dir.path().to_str().unwrap()];
    let output = Program::new().args(flags).output().await;

    refused(&output, "is taken by another process");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();

    for place in [file.path().to_owned(), file.path().join("below")] {
        let flags = ["--listen", "127.0.0.1:0", "--data-dir", place.to_str().unwrap()];
        refused(&Program::new().args(flags).output().await, "give another --data-dir");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let setup = Setup::new();
    setup.clone().start().await.stop().await;
    let newer = "
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9999, 'from the future', success, checksum, 0
        FROM _sqlx_migrations
        WHERE version = 1";
    setup.database().session().await.run(newer).await;

    refused(&setup.program().output().await, "schema version 9999 by a newer incident-server");
}

#[tokio::test]
async fn incidents_are_kept_in_the_database_that_was_named() {
    let server = Server::start().await;
    server.client("alice").sync(&payload::report()).await;

    let mut session = server.database().session().await;

    assert_eq!(session.count("SELECT count(*) FROM incidents").await, 1);
}

#[tokio::test]
async fn bad_flags_and_bad_files_are_told() {
    let (short, setup) = (tempfile::NamedTempFile::new().unwrap(), Setup::new());
    std::fs::write(short.path(), "x".repeat(31) + "\n").unwrap();
    let short = short.path().to_str().unwrap();

    for (flags, because) in [
        (["--rate-limit", "fast"], "20/s,200"),
        (["--max-in-flight", "0"], "at least 1"),
        (["--lissten", "127.0.0.1:1"], "--lissten"),
        (["--log", "info,=="], "--log"),
        (["--log", "verbose"], "--log"),
        (["--database-url", "mysql://x"], "sqlite://"),
        (["--read-database-url", "sqlite://x"], "both with postgres://"),
        (["--database-url", "sqlite::memory:"], "a database in memory would lose every report"),
        (["--auth-hs256-secret-file", "/nonexistent"], "cannot read the secret file /nonexistent"),
        (["--auth-hs256-secret-file", short], "has 31 bytes"),
        (["--id-secret-file", short], "has 31 bytes"),
        (["--auth-jwks", "/nonexistent"], "cannot read the JWK set /nonexistent"),
        (["--auth-jwks", short], "not a JWK set"),
        (["--auth-jwks", "http://id.example/keys"], "over http on loopback only"),
    ] {
        refused(&setup.program().args(flags).output().await, because);
    }
}

#[tokio::test]
async fn variables_work_like_flags() {
    let secret = "0123456789abcdef0123456789abcdef";
    let (file, setup) = (tempfile::NamedTempFile::new().unwrap(), Setup::new());
    std::fs::write(file.path(), format!("{secret}\r\n")).unwrap();
    let data_dir = setup.data_dir().to_str().unwrap();
    let program = Program::new().env("INCIDENT_LISTEN", "127.0.0.1:0").env("INCIDENT_DATA_DIR", data_dir);
    let program = program.database(setup.database());
    let program = program.env("INCIDENT_AUTH_HS256_SECRET_FILE", file.path().to_str().unwrap());
    let run = program.env("INCIDENT_RATE_LIMIT", "1/m,1").start();
    let url = incident_tests::until("it listens", async || {
        run.out().lines().find_map(|line| Some(line.split_once("listens on ")?.1.to_owned()))
    })
    .await;

    let token = incident_tests::token(&incident_tests::Signer::Hs256(secret.into()), None);
    let alice = Client::new(&url, Some(token));
    let answers: [Answer; 2] = [alice.get("/api/incidents").await, alice.get("/api/incidents").await];

    assert_eq!(answers.map(|answer| answer.status), [200, 429]);
}
