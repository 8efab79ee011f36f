INSERT INTO incidents (
    id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
    cancelled_at_ms, location_id, room_number, reporter, cancellation_reason
)
SELECT
    (lpad(to_hex(1732320000000 + n * 6300), 12, '0') || substr(md5(n::text), 1, 20))::uuid,
    1, false, false, 124924000, 418902000, 1732320000000 + n * 6300, 1732320001000 + n * 6300,
    CASE WHEN n % 10 = 0 THEN 1732320002000 + n * 6300 END,
    'location-' || (n * 104729 % 1000), '12B', 'reporter-' || (n * 7919 % 10000),
    CASE WHEN n % 10 = 0 THEN 'false alarm' END
FROM generate_series(0::bigint, 9999999) AS numbers (n);

INSERT INTO history (incident_id, kind, at_ms)
SELECT id, 'created', received_at_ms
FROM incidents
ORDER BY id;
