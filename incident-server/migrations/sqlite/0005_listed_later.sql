-- The entries of two lists are rows of tables of their own: one reporter's incidents, and the open ones at a location. As
-- indexes every new incident wrote two pages anywhere in them; as tables they are written later, many entries at a time.
-- What waits is in history behind listed_to.
ALTER TABLE installation ADD COLUMN listed_to INTEGER NOT NULL DEFAULT 0;
UPDATE installation SET listed_to = (SELECT coalesce(max(position), 0) FROM history);

-- An index and a table WITHOUT ROWID are the same bytes: a tree of records, ordered by their first columns
-- (sqlite.org/fileformat2.html, section 2.4). So the two indexes become the tables as they are, and nothing is read or
-- written, however large they are.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema
SET type = 'table',
    name = 'list_by_reporter',
    tbl_name = 'list_by_reporter',
    sql = 'CREATE TABLE list_by_reporter (
    reporter        TEXT    NOT NULL,
    id              BLOB    NOT NULL,
    location_id     TEXT    NOT NULL,
    cancelled_at_ms INTEGER,
    PRIMARY KEY (reporter, id)
) STRICT, WITHOUT ROWID'
WHERE type = 'index' AND name = 'incidents_of_reporter';

UPDATE sqlite_schema
SET type = 'table',
    name = 'list_of_open_by_location',
    tbl_name = 'list_of_open_by_location',
    sql = 'CREATE TABLE list_of_open_by_location (
    location_id TEXT NOT NULL,
    id          BLOB NOT NULL,
    PRIMARY KEY (location_id, id)
) STRICT, WITHOUT ROWID'
WHERE type = 'index' AND name = 'incidents_open_by_location';

PRAGMA writable_schema = RESET;

-- An entry says what its incident says, whoever changes that. One that is not written yet is written as its incident is
-- then.
CREATE TRIGGER listed_state AFTER UPDATE OF cancelled_at_ms ON incidents
WHEN OLD.cancelled_at_ms IS NOT NEW.cancelled_at_ms
BEGIN
    UPDATE list_by_reporter
    SET cancelled_at_ms = NEW.cancelled_at_ms
    WHERE reporter = OLD.reporter AND id = OLD.id;

    DELETE FROM list_of_open_by_location
    WHERE NEW.cancelled_at_ms IS NOT NULL AND location_id = OLD.location_id AND id = OLD.id;

    INSERT OR IGNORE INTO list_of_open_by_location (location_id, id)
    SELECT NEW.location_id, NEW.id
    WHERE NEW.cancelled_at_ms IS NULL;
END;

CREATE TRIGGER listed_where AFTER UPDATE OF reporter, location_id ON incidents
WHEN OLD.reporter IS NOT NEW.reporter OR OLD.location_id <> NEW.location_id
BEGIN
    DELETE FROM list_by_reporter WHERE reporter = OLD.reporter AND id = OLD.id;
    DELETE FROM list_of_open_by_location WHERE location_id = OLD.location_id AND id = OLD.id;

    INSERT OR REPLACE INTO list_by_reporter (reporter, id, location_id, cancelled_at_ms)
    SELECT NEW.reporter, NEW.id, NEW.location_id, NEW.cancelled_at_ms
    WHERE NEW.reporter IS NOT NULL;

    INSERT OR IGNORE INTO list_of_open_by_location (location_id, id)
    SELECT NEW.location_id, NEW.id
    WHERE NEW.cancelled_at_ms IS NULL;
END;

CREATE TRIGGER listed_no_more AFTER DELETE ON incidents
BEGIN
    DELETE FROM list_by_reporter WHERE reporter = OLD.reporter AND id = OLD.id;
    DELETE FROM list_of_open_by_location WHERE location_id = OLD.location_id AND id = OLD.id;
END;
