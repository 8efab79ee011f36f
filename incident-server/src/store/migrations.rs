//! The steps that bring a database's tables up to date. A file of them never changes once it was released: its checksum
//! stands in every database that took it.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// `sqlx::migrate!` does the same, but its crate builds the drivers of both databases and their TLS a second time: a fifth of
/// the time that the server takes to build.
macro_rules! steps {
    ($folder:literal: $($version:literal $file:literal),+ $(,)?) => {
        LazyLock::new(|| Migrator::with_migrations(vec![
            $(step($version, $file, include_str!(concat!("../../migrations/", $folder, "/", $file, ".sql")))),+
        ]))
    };
}

pub(super) static SQLITE: LazyLock<Migrator> = steps!("sqlite":
    1 "0001_incidents",
    2 "0002_installation",
    3 "0003_lists",
    4 "0004_erased",
    5 "0005_listed_later",
    6 "0006_lists_without_erased",
);

pub(super) static POSTGRES: LazyLock<Migrator> = steps!("postgres":
    1 "0001_incidents",
    2 "0002_installation",
    3 "0003_lists",
    4 "0004_erased",
    5 "0005_given",
    6 "0006_other_hands",
);

/// PostgreSQL's type of a row that is written, as a step above makes it: an id, the version that must be stored, the version
/// that shall be, and the columns in the core's order. A server of another version may have another one.
pub(super) const GIVEN_INCIDENT: &str = "given_incident";

fn step(version: i64, file: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, file.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

#[cfg(test)]
mod tests {
    use std::fs::read_dir;

    use super::*;

    /// The steps that stand in a folder, by the names of their files.
    fn in_folder(folder: &str) -> Vec<String> {
        let folder = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
        let files = read_dir(folder).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap().replace(".sql", "")).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_file_is_a_step_and_its_name_begins_with_the_version() {
        for (folder, steps) in [("sqlite", &SQLITE), ("postgres", &POSTGRES)] {
            let names: Vec<_> = steps.iter().map(|step| step.description.to_string()).collect();
            assert_eq!(names, in_folder(folder), "{folder}");
            for step in steps.iter() {
                assert!(step.description.starts_with(&format!("{:04}_", step.version)), "{step:?}");
            }
        }
    }
}
