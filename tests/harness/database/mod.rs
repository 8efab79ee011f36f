//! Where the servers under test keep their incidents. The one place that knows which database that is.

mod postgres;
mod session;

use std::{env, fs, path::PathBuf};

pub use postgres::Scratch;
pub use session::Session;

/// Which database the tests run on that do not name one: `sqlite`, as without it, or `postgres`.
const STORE_VARIABLE: &str = "INCIDENT_TEST_STORE";

/// The database of one test; new and empty, and seen by no other test.
pub enum Database {
    /// The embedded one, a file in this data directory.
    Sqlite(PathBuf),
    /// A database on the PostgreSQL server for tests.
    Postgres(Scratch),
}

impl Database {
    /// A new one, of the kind that this run is about.
    ///
    /// # Panics
    /// There is no such kind, or its server does not answer.
    #[track_caller]
    pub fn chosen(data_dir: PathBuf) -> Self {
        match env::var(STORE_VARIABLE).as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite(data_dir),
            Ok("postgres") => Self::postgres(),
            Ok(other) => panic!("{STORE_VARIABLE} is sqlite or postgres, not {other}"),
        }
    }

    /// A new one on the PostgreSQL server for tests.
    ///
    /// # Panics
    /// It does not answer.
    pub fn postgres() -> Self {
        Self::Postgres(Scratch::new())
    }

    /// What `--database-url` says; nothing for the embedded default.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(scratch) => Some(&scratch.url),
        }
    }

    /// A session beside the server.
    ///
    /// # Panics
    /// There is no database.
    pub async fn session(&self) -> Session {
        match self {
            Self::Sqlite(data_dir) => Session::with_file(&data_dir.join("incidents.sqlite")).await,
            Self::Postgres(scratch) => Session::with_server(&scratch.url).await,
        }
    }

    /// A session that lets nobody write, though everybody may read, until it runs `ROLLBACK`.
    ///
    /// # Panics
    /// There is no database.
    pub async fn stop_writers(&self) -> Session {
        let mut session = self.session().await;
        session
            .run(match self {
                Self::Sqlite(_) => "BEGIN IMMEDIATE",
                Self::Postgres(_) => "BEGIN; LOCK TABLE incidents IN EXCLUSIVE MODE",
            })
            .await;
        session
    }

    /// Whether the server still has it open.
    pub async fn is_open(&self) -> bool {
        match self {
            Self::Sqlite(data_dir) => data_dir.join("incidents.sqlite-wal").exists(),
            Self::Postgres(_) => self.session().await.count(postgres::OTHER_SESSIONS).await > 0,
        }
    }

    /// All that is kept of the incidents: the bytes of files, or every row of every table as text.
    ///
    /// # Panics
    /// It cannot be read.
    pub async fn kept(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Sqlite(data_dir) => {
                let files = fs::read_dir(data_dir).expect("the data directory is there");
                let read = |file: fs::DirEntry| fs::read(file.path()).expect("a file can be read");
                files.map(|file| read(file.expect("a file has a name"))).collect()
            }
            Self::Postgres(scratch) => postgres::every_row(&scratch.url).await,
        }
    }
}
