-- One reporter's incidents with all that a list of them may be asked for: so what does not fit is passed over in the
-- index, and nothing is looked up but what is shown.
CREATE INDEX incidents_of_reporter ON incidents (reporter, id, location_id, cancelled_at_ms)
WHERE reporter IS NOT NULL;

DROP INDEX incidents_by_reporter;

-- Open ones and cancelled ones at a location are all there are: a list of both is merged from both, and every row is
-- in one index by location instead of two.
DROP INDEX incidents_by_location;
