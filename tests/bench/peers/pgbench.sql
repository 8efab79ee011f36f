-- One upsert and one history row a transaction: what a hand-written endpoint asks of the database, and nothing else.
BEGIN;
INSERT INTO incidents (
    id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
    location_id, room_number, reporter
)
VALUES (
    lpad(to_hex(nextval('moments')), 32, '0')::uuid, 1, false, false, 124924000, 418902000, 1795392000000,
    1795392000000, 'ward-7', '12B', 'alice'
)
ON CONFLICT (id) DO UPDATE SET
    cancelled_at_ms = excluded.cancelled_at_ms;
INSERT INTO history (incident_id, kind, at_ms)
VALUES (lpad(to_hex(currval('moments')), 32, '0')::uuid, 'created', 1795392000000);
COMMIT;
