//! Servers on a PostgreSQL that the test has started itself.

use incident_server::secrets;
use incident_tests::Setup;

/// A server on the database behind this URL, and its flags.
pub(super) fn on(url: &str) -> Setup {
    let setup = Setup::on_sqlite().flag("--database-url", url).flag("--rate-limit", "off");
    // No server makes one for a database that others may use.
    secrets::read_or_make(&setup.data_dir().join("id.secret")).expect("a secret");
    setup
}

/// Another server on the same database, with the same secrets.
pub(super) fn beside(setup: &Setup, url: &str) -> Setup {
    let id_secret = setup.data_dir().join("id.secret");
    Setup::on_sqlite()
        .flag("--database-url", url)
        .flag("--id-secret-file", id_secret.to_str().expect("a path in UTF-8"))
}
