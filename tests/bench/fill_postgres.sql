-- The first statement only makes ids and moments; the others are what is measured as a bulk insert.
CREATE TEMP TABLE moments AS
SELECT
    n,
    {first_ms} + n * {step_ms} AS created_at_ms,
    (lpad(to_hex({first_ms} + n * {step_ms}), 12, '0') || substr(md5(n::text), 1, 20))::uuid AS id
FROM generate_series(0::bigint, {count} - 1) AS numbers (n);

BEGIN;

INSERT INTO incidents (
    id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
    cancelled_at_ms, location_id, room_number, reporter, cancellation_reason
)
SELECT
    id, CASE WHEN {cancelled} THEN 2 ELSE 1 END, false, false, 124924000, 418902000,
    created_at_ms, created_at_ms + 1000, CASE WHEN {cancelled} THEN created_at_ms + 2000 END,
    'location-' || (n * 104729 % 1000), '12B', 'reporter-' || (n * 7919 % 10000),
    CASE WHEN {cancelled} THEN 'false alarm' END
FROM moments;

INSERT INTO history (incident_id, kind, at_ms)
SELECT id, 'created', created_at_ms + 1000
FROM moments;

INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
SELECT id, 'cancelled', created_at_ms + 2000, 'false alarm'
FROM moments
WHERE {cancelled};

COMMIT;
