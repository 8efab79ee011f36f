-- What a hand-written endpoint asks of the database for the benchmark's load, and nothing else: of ten reports eight are
-- new, one is called off, one is repeated; the incident and its history row in one transaction. Each client counts for
-- itself; together they have a report at every millisecond from :first on.
\set sent :sent + 1
\set kind :sent % 10
\set report :sent
\if :kind = 3
    \set report :sent - 103
\elif :kind = 7
    \set report :sent - 106
\endif
\set report :report * 64 + :client_id
\set reporter :report * 7919 % 10000
\set place :report * 104729 % 1000
\set moment :first + :report
BEGIN;
INSERT INTO incidents (
    id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
    location_id, room_number, reporter, cancelled_at_ms, cancellation_reason
)
VALUES (
    (lpad(to_hex(:moment::bigint), 12, '0') || substr(md5(:moment::text), 1, 20))::uuid, 1, false, false, 124924000, 418902000,
    :moment, :moment, 'location-' || :place, '12B', 'reporter-' || :reporter,
    CASE WHEN :kind = 3 THEN :moment::bigint END, CASE WHEN :kind = 3 THEN 'false alarm' END
)
ON CONFLICT (id) DO UPDATE SET
    version = incidents.version + 1,
    cancelled_at_ms = excluded.cancelled_at_ms,
    cancellation_reason = excluded.cancellation_reason
WHERE incidents.cancelled_at_ms IS NULL AND excluded.cancelled_at_ms IS NOT NULL;
\if :kind != 7
INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
VALUES (
    (lpad(to_hex(:moment::bigint), 12, '0') || substr(md5(:moment::text), 1, 20))::uuid,
    CASE WHEN :kind = 3 THEN 'cancelled' ELSE 'created' END, :moment, CASE WHEN :kind = 3 THEN 'false alarm' END
);
\endif
COMMIT;
