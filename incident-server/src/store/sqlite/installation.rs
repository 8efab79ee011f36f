//! What belongs to the file and to no incident: the id secret's fingerprint.

use sqlx::SqliteConnection;

use crate::store::StoreError;

/// While nothing is named under it, a secret may be replaced: nobody else runs on this file.
const REMEMBER: &str = "
    UPDATE installation
    SET id_secret_fingerprint = ?1
    WHERE id_secret_fingerprint IS NULL
        OR NOT EXISTS (SELECT 1 FROM incidents)";

pub(super) async fn knows_secret(
    connection: &mut SqliteConnection,
    fingerprint: &[u8],
) -> Result<bool, StoreError> {
    sqlx::query(REMEMBER).bind(fingerprint).execute(&mut *connection).await?;
    let known = sqlx::query_scalar("SELECT id_secret_fingerprint = ?1 FROM installation");
    Ok(known.bind(fingerprint).fetch_one(connection).await?)
}

pub(super) async fn holds_incidents(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    Ok(has_incidents(connection).await?)
}

pub(super) async fn has_incidents(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM incidents)").fetch_one(connection).await
}
