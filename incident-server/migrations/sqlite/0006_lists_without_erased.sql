-- An erased incident has a value in cancelled_at_ms, too: with years of them, a list of cancelled ones walked through them
-- all. So they are in no index of a list any more, and all incidents are the open and the cancelled ones, merged.
DROP INDEX incidents_cancelled;

CREATE INDEX incidents_cancelled ON incidents (id) WHERE cancelled_at_ms IS NOT NULL AND erased_at_ms IS NULL;
