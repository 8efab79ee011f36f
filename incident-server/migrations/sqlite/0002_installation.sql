-- What belongs to the file and to no incident; one row.
--
-- series names the feed of changes that positions are counted in. A restored file begins a new one, so that a
-- reader of the old one does not skip what is given the same positions again.
-- id_secret_fingerprint is that of the secret under which the ids were made; filled by the server.
CREATE TABLE installation (
    id                    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    series                INTEGER NOT NULL,
    id_secret_fingerprint BLOB    CHECK (length(id_secret_fingerprint) = 32)
) STRICT;

INSERT INTO installation (id, series)
VALUES (1, random() & 9007199254740991);

-- "Open ones" and "cancelled ones", everywhere and at one location, are ranges of these.
CREATE INDEX incidents_open ON incidents (id) WHERE cancelled_at_ms IS NULL;
CREATE INDEX incidents_open_by_location ON incidents (location_id, id) WHERE cancelled_at_ms IS NULL;
CREATE INDEX incidents_cancelled ON incidents (id) WHERE cancelled_at_ms IS NOT NULL;
CREATE INDEX incidents_cancelled_by_location ON incidents (location_id, id) WHERE cancelled_at_ms IS NOT NULL;

-- What no server writes is refused, whoever writes it. A constraint cannot be added to a table, but the text of
-- the table may be replaced where its bytes stay the same (sqlite.org/lang_altertable.html, section 7): no row
-- is read or written, so this takes no time on any file. Rows that are there already are not looked at.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema
SET sql = 'CREATE TABLE incidents (
    id                  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    reporter            TEXT,
    location_id         TEXT    NOT NULL,
    room_number         TEXT,
    longitude_e7        INTEGER NOT NULL CHECK (longitude_e7 BETWEEN -1800000000 AND 1800000000),
    latitude_e7         INTEGER NOT NULL CHECK (latitude_e7 BETWEEN -900000000 AND 900000000),
    is_anonymous        INTEGER NOT NULL CHECK (is_anonymous IN (0, 1)),
    created_at_ms       INTEGER NOT NULL CHECK (created_at_ms BETWEEN 0 AND 253402300799999),
    received_at_ms      INTEGER NOT NULL CHECK (received_at_ms BETWEEN 0 AND 253402300799999),
    clock_suspect       INTEGER NOT NULL CHECK (clock_suspect IN (0, 1)),
    cancelled_at_ms     INTEGER CHECK (cancelled_at_ms BETWEEN 0 AND 253402300799999),
    cancellation_reason TEXT,
    CHECK (is_anonymous = 0 OR reporter IS NULL),
    CHECK ((cancelled_at_ms IS NULL) = (cancellation_reason IS NULL))
) STRICT, WITHOUT ROWID'
WHERE type = 'table' AND name = 'incidents';

UPDATE sqlite_schema
SET sql = 'CREATE TABLE history (
    position            INTEGER NOT NULL PRIMARY KEY CHECK (position > 0),
    incident_id         BLOB    NOT NULL CHECK (length(incident_id) = 16),
    kind                TEXT    NOT NULL
        CHECK (kind IN (''created'', ''cancelled'', ''cancellationRestated'', ''erased'')),
    at_ms               INTEGER NOT NULL CHECK (at_ms BETWEEN 0 AND 253402300799999),
    cancellation_reason TEXT,
    CHECK ((kind IN (''cancelled'', ''cancellationRestated'')) = (cancellation_reason IS NOT NULL))
) STRICT'
WHERE type = 'table' AND name = 'history';

PRAGMA writable_schema = RESET;
