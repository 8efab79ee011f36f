-- An incident as it is now. The id is time-ordered, so rows are inserted at the right edge and
-- "newest first" is the key read backwards. The reporter of an anonymous incident is never stored.
CREATE TABLE incidents (
    id                  BLOB    NOT NULL PRIMARY KEY,
    reporter            TEXT,
    location_id         TEXT    NOT NULL,
    room_number         TEXT,
    longitude_e7        INTEGER NOT NULL,
    latitude_e7         INTEGER NOT NULL,
    is_anonymous        INTEGER NOT NULL,
    created_at_ms       INTEGER NOT NULL,
    received_at_ms      INTEGER NOT NULL,
    clock_suspect       INTEGER NOT NULL,
    cancelled_at_ms     INTEGER,
    cancellation_reason TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX incidents_by_reporter ON incidents (reporter, id) WHERE reporter IS NOT NULL;
CREATE INDEX incidents_by_location ON incidents (location_id, id);

-- What happened, in commit order; rows are only ever added.
CREATE TABLE history (
    position            INTEGER NOT NULL PRIMARY KEY,
    incident_id         BLOB    NOT NULL,
    kind                TEXT    NOT NULL,
    at_ms               INTEGER NOT NULL,
    cancellation_reason TEXT
) STRICT;

CREATE INDEX history_by_incident ON history (incident_id, position);
