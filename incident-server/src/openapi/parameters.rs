//! Headers, paths and queries.

use utoipa::IntoParams;

use crate::schema::StatusWord;

/// The header of a sync.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documentation only: the extractor reads the header")]
pub(crate) struct IdempotencyKeyHeader {
    /// The derived idempotency key, quoted as an RFC 8941 string or bare; of an anonymous report a sealed one, if
    /// you like: any UUIDv8 whose first 48 bits are `createdAt` in milliseconds. Optional; checked where it is sent.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, example = "\"01a202c0-f648-81b8-95f2-469ecf9e3f4e\"")]
    idempotency_key: Option<String>,
}

/// The header of a question for one incident.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documentation only: the extractor reads the header")]
pub(crate) struct SealedKeyHeader {
    /// The sealed key of an anonymous incident: who sends it may read the incident. Of no use for others.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, example = "\"01a202c0-f648-82ad-82fc-1e607f8e8875\"")]
    idempotency_key: Option<String>,
}

/// The path of an incident.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "documentation only: the extractor reads the path")]
pub(crate) struct IncidentIdPath {
    /// The `id` of an incident.
    #[param(format = "uuid", example = "01a202c0-f648-8114-8d97-64d571c679d1")]
    id: String,
}

/// The query of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documentation only: the extractor reads the query")]
pub(crate) struct ListQuery {
    /// Only incidents in this state.
    #[param(value_type = Option<StatusWord>, inline, required = false, nullable = false)]
    status: Option<String>,
    /// Only incidents at this location.
    #[param(min_length = 1, max_length = 128, required = false, nullable = false)]
    location_id: Option<String>,
    /// Only incidents created at this moment or later.
    #[param(format = "date-time", required = false, nullable = false)]
    created_after: Option<String>,
    /// Only incidents created before this moment.
    #[param(format = "date-time", required = false, nullable = false)]
    created_before: Option<String>,
    /// At most so many, 50 unless given.
    #[param(minimum = 1, maximum = 200, required = false, nullable = false)]
    limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[param(min_length = 1, required = false, nullable = false)]
    cursor: Option<String>,
}

/// The query of an erasure.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documentation only: the extractor reads the query")]
pub(crate) struct ReporterQuery {
    /// Whose incidents: the `sub` of their tokens.
    #[param(min_length = 1, max_length = 255)]
    reporter: String,
}

/// The query of the changes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documentation only: the extractor reads the query")]
pub(crate) struct ChangesQuery {
    /// The `nextCursor` of the page before or the `cursor` of a change; from the beginning without. `latest` is the
    /// place behind all changes that are there. The header `Last-Event-ID` of a stream wins over it.
    #[param(min_length = 1, required = false, nullable = false)]
    after: Option<String>,
    /// At most so many a page, 100 unless given.
    #[param(minimum = 1, maximum = 1000, required = false, nullable = false)]
    limit: Option<u16>,
}
