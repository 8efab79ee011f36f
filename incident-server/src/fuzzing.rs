//! What reads from strangers, for the fuzz targets in `tests/fuzz`. Nothing is decided here.

use futures_util::FutureExt;
use incident_core::Timestamp;

use crate::{
    auth::{Caller, Verifier},
    cursor::After,
    extract::{ListCursor, ListParameters},
    store::{Horizon, ListQuery},
};

/// Who the bearer of a token is.
#[derive(Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token's `sub`.
    pub sub: String,
    /// Whether it has the scope `incidents:read`.
    pub may_read_all: bool,
    /// Whether it has the scope `incidents:erase`.
    pub may_erase: bool,
    /// Until when it is taken.
    pub expires_at_ms: i64,
}

/// Says who the bearer of a token is, under keys that no issuer is asked for; `None` where it is not taken.
pub fn bearer(verifier: &Verifier, token: &str, now: Timestamp) -> Option<Bearer> {
    let Caller { reporter, may_read_all, may_erase, expires_at_ms, .. } =
        verifier.verify(token, now).now_or_never()?.ok()?;
    Some(Bearer { sub: reporter.as_str().to_owned(), may_read_all, may_erase, expires_at_ms })
}

/// A cursor of the changes as it would be written, and the position behind which it leads in a database with this
/// horizon; `None` where it is no cursor, or is not of this database.
pub fn changes(text: &str, horizon: &Horizon) -> (Option<String>, Option<i64>) {
    let after = After::cursor(text);
    let written = match after {
        Some(After::Cursor(cursor)) => Some(cursor.to_string()),
        _ => None,
    };
    (written, after.and_then(|after| after.resolve(horizon).ok()).map(|cursor| cursor.position.0))
}

/// What the query of an address asks of a list, and the cursor in it as it would be written.
///
/// # Errors
/// The problem that is answered, as JSON.
pub fn list(query: &str) -> Result<(ListQuery, Option<String>), String> {
    let asked =
        ListParameters::read(query).map_err(|problem| serde_json::to_string(&problem).unwrap_or_default())?;
    let cursor = asked.cursor.map(|cursor| ListCursor(cursor.0).to_string());
    let query = ListQuery {
        reporter: None,
        status: asked.status,
        location_id: asked.location_id,
        created_after: asked.created_after,
        created_before: asked.created_before,
        after: asked.cursor.map(|cursor| cursor.0),
        limit: asked.limit,
    };
    Ok((query, cursor))
}
