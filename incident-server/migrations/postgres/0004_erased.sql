-- When an incident was erased. Then its row holds nothing else but its id and created_at_ms: texts are empty, numbers 0,
-- and cancelled_at_ms has a value, so that no index of open incidents and none by location or reporter leads to it.
ALTER TABLE incidents ADD COLUMN erased_at_ms bigint;

ALTER TABLE incidents ADD CONSTRAINT incidents_erasure CHECK (
    erased_at_ms IS NULL
    OR erased_at_ms BETWEEN 0 AND 253402300799999
        AND reporter IS NULL
        AND location_id = ''
        AND room_number IS NULL
        AND cancellation_reason = ''
) NOT VALID;
