-- When an incident was erased. Then its row holds nothing else but its id and created_at_ms: texts are empty, numbers 0,
-- and cancelled_at_ms has a value, so that no index of open incidents and none by location or reporter leads to it.
ALTER TABLE incidents ADD COLUMN erased_at_ms INTEGER;
