CREATE TEMP TABLE moments AS
WITH RECURSIVE numbers (n) AS (
    SELECT 0
    UNION ALL
    SELECT n + 1 FROM numbers WHERE n + 1 < 5000000
)
SELECT
    n,
    1732320000000 + n * 12600 AS created_at_ms,
    unhex(printf('%012x', 1732320000000 + n * 12600) || hex(randomblob(10))) AS id
FROM numbers;

INSERT INTO incidents (
    id, reporter, location_id, room_number, longitude_e7, latitude_e7, is_anonymous,
    created_at_ms, received_at_ms, clock_suspect, cancelled_at_ms, cancellation_reason
)
SELECT
    id, 'reporter-' || (n * 7919 % 10000), 'location-' || (n * 104729 % 1000), '12B', 124924000, 418902000, 0,
    created_at_ms, created_at_ms + 1000, 0,
    CASE WHEN n % 10 = 0 THEN created_at_ms + 2000 END, CASE WHEN n % 10 = 0 THEN 'false alarm' END
FROM moments
ORDER BY id;

INSERT INTO history (incident_id, kind, at_ms)
SELECT id, 'created', created_at_ms + 1000
FROM moments
ORDER BY n;

DROP TABLE moments;
