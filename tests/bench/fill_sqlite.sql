-- The first statement only makes ids and moments; the others are what is measured as a bulk insert.
CREATE TEMP TABLE moments AS
WITH RECURSIVE numbers (n) AS (
    SELECT 0
    UNION ALL
    SELECT n + 1 FROM numbers WHERE n + 1 < {count}
)
SELECT
    n,
    {first_ms} + n * {step_ms} AS created_at_ms,
    unhex(printf('%012x', {first_ms} + n * {step_ms}) || hex(randomblob(10))) AS id
FROM numbers;

BEGIN IMMEDIATE;

INSERT INTO incidents (
    id, reporter, location_id, room_number, longitude_e7, latitude_e7, is_anonymous,
    created_at_ms, received_at_ms, clock_suspect, cancelled_at_ms, cancellation_reason
)
SELECT
    id, 'reporter-' || (n * 7919 % 10000), 'location-' || (n * 104729 % 1000), '12B', 124924000, 418902000, 0,
    created_at_ms, created_at_ms + 1000, 0,
    CASE WHEN {cancelled} THEN created_at_ms + 2000 END, CASE WHEN {cancelled} THEN 'false alarm' END
FROM moments
ORDER BY id;

INSERT INTO history (incident_id, kind, at_ms)
SELECT id, 'created', created_at_ms + 1000
FROM moments
ORDER BY n;

INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
SELECT id, 'cancelled', created_at_ms + 2000, 'false alarm'
FROM moments
WHERE {cancelled}
ORDER BY n;

INSERT INTO list_by_reporter (reporter, id, location_id, cancelled_at_ms)
SELECT reporter, id, location_id, cancelled_at_ms
FROM incidents
WHERE id IN (SELECT id FROM moments)
ORDER BY reporter, id;

INSERT INTO list_of_open_by_location (location_id, id)
SELECT location_id, id
FROM incidents
WHERE cancelled_at_ms IS NULL AND id IN (SELECT id FROM moments)
ORDER BY location_id, id;

UPDATE installation SET listed_to = (SELECT max(position) FROM history);

COMMIT;
