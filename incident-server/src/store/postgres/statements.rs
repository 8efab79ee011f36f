//! The statements that writing needs, and the columns that reading shares with it.

use std::sync::LazyLock;

use crate::store::{columns, migrations::GIVEN_INCIDENT};

/// The columns of a record, by name: a newer server may have added some.
pub(super) fn incident_columns() -> String {
    format!("uuid_send(incidents.id) AS id,\n        {}", columns::read())
}

/// Whoever writes holds it, named after the last position that was given out, until the commit is visible: see `feed.rs`.
pub(super) const TICKET_CLASS: &str = "1768842852";

/// The columns of an incident, its version and its further reasons, oldest first.
///
/// Its id lies in a range that the statement names as well: where the tables are partitioned, PostgreSQL opens those
/// partitions only. It cannot tell them from an array or from what is joined, and would open all of them every time.
fn stored(first: &str, last: &str) -> String {
    format!(
        "{columns},
            incidents.version,
            CASE WHEN incidents.version > 2 THEN ARRAY(
                SELECT history.cancellation_reason
                FROM history
                WHERE history.incident_id = incidents.id
                    AND history.incident_id BETWEEN {first} AND {last}
                    AND history.kind = 'cancellationRestated'
                ORDER BY history.position
            ) ELSE '{{}}' END AS restated",
        columns = incident_columns(),
    )
}

/// A writer's ticket, taken before its first position is given out; see `feed.rs`.
fn ticket() -> String {
    format!(
        "ticket AS MATERIALIZED (
        SELECT pg_advisory_xact_lock_shared({TICKET_CLASS}, (last_value % 2147483648)::integer)
        FROM history_position_seq
    )"
    )
}

/// What is stored of some ids, of which the first and the last are named.
pub(super) static LOOK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT {stored}
    FROM incidents
    WHERE incidents.id = ANY ($1)
        AND incidents.id BETWEEN $2 AND $3",
        stored = stored("$2", "$3"),
    )
});

/// A record in the log that changes nothing: behind it a commit waits for the disk and the standby.
pub(super) const BARRIER: &str = "SELECT pg_logical_emit_message(true, 'incident-sync', '')::text";

/// Writes what nobody else was faster to write, and returns the rest as it is stored.
///
/// The plan is made once, perhaps when the tables are new: then PostgreSQL would rather read the whole range of the ids than
/// each row by its own. An array of the ids and a limit of one row leave it no choice.
///
/// The ticket must be held before the first position is given out; see `feed.rs`.
pub(super) static WRITE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    WITH given AS MATERIALIZED (
        SELECT *
        FROM UNNEST($1::{GIVEN_INCIDENT}[])
    ),
    inserted AS (
        INSERT INTO incidents (id, version, {columns})
        SELECT id, version, {columns}
        FROM given
        WHERE seen = 0
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    ),
    updated AS (
        UPDATE incidents
        SET version = given.version,
            cancelled_at_ms = given.cancelled_at_ms,
            cancellation_reason = given.cancellation_reason
        FROM given
        WHERE given.seen > 0
            AND incidents.id = given.id
            AND incidents.id = ANY (ARRAY(SELECT id FROM given WHERE seen > 0))
            AND incidents.id BETWEEN $3 AND $4
            AND incidents.version = given.seen
        RETURNING incidents.id
    ),
    written AS MATERIALIZED (
        SELECT id FROM inserted
        UNION ALL
        SELECT id FROM updated
    ),
    {ticket},
    recorded AS (
        INSERT INTO history (incident_id, at_ms, kind, cancellation_reason)
        SELECT event.incident_id, event.at_ms, event.kind, event.cancellation_reason
        FROM ticket
        CROSS JOIN UNNEST($2::given_event[])
            WITH ORDINALITY AS event (incident_id, at_ms, kind, cancellation_reason, number)
        WHERE event.incident_id IN (SELECT id FROM written)
        ORDER BY event.number
    ),
    barrier AS MATERIALIZED (
        SELECT CASE
            WHEN NOT EXISTS (SELECT FROM written)
            THEN pg_logical_emit_message(true, 'incident-sync', '')
        END
    )
    SELECT given.id AS missed, stored.*
    FROM barrier
    CROSS JOIN given
    LEFT JOIN LATERAL (
        SELECT {stored}
        FROM incidents
        WHERE incidents.id = given.id
            AND incidents.id BETWEEN $3 AND $4
        LIMIT 1
    ) AS stored ON true
    WHERE NOT EXISTS (SELECT FROM written WHERE written.id = given.id)",
        columns = columns::written(),
        ticket = ticket(),
        stored = stored("$3", "$4"),
    )
});

/// Erases those that nobody has changed since their version was read, and returns their ids.
///
/// Where the version is still the one that was seen, all rows of the history were there before this statement began: none
/// is left over.
pub(super) static ERASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    WITH given AS MATERIALIZED (
        SELECT *
        FROM UNNEST($1::{GIVEN_INCIDENT}[])
    ),
    erased AS (
        UPDATE incidents
        SET version = given.version,
            {columns},
            erased_at_ms = given.cancelled_at_ms
        FROM given
        WHERE incidents.id = given.id
            AND incidents.id = ANY (ARRAY(SELECT id FROM given))
            AND incidents.id BETWEEN $3 AND $4
            AND incidents.version = given.seen
        RETURNING incidents.id, incidents.erased_at_ms
    ),
    forgotten AS (
        DELETE FROM history
        WHERE incident_id IN (SELECT id FROM erased)
            AND incident_id BETWEEN $3 AND $4
    ),
    {ticket},
    recorded AS (
        INSERT INTO history (incident_id, at_ms, kind)
        SELECT erased.id, erased.erased_at_ms, $2
        FROM ticket
        CROSS JOIN erased
    )
    SELECT uuid_send(id) AS id FROM erased",
        columns = columns::each("{column} = given.{column}"),
        ticket = ticket(),
    )
});
