-- Makes the tables of an incident-server partitioned by time, beside the servers that run on them.
--
--   psql -v ON_ERROR_STOP=1 -f partitioned.sql "$INCIDENT_DATABASE_URL"
--
-- Empty tables or full ones: no row is copied. What is there becomes the first partition, incidents_past and
-- history_past, which ends with the half-year that runs. The next half-year has a partition of its own, and those after
-- it are made by the servers, ahead of time. What belongs to none of them, such as reports of phones whose clock is
-- years ahead, is in incidents_default and history_default, so that no report is ever refused.
--
--   psql -v ON_ERROR_STOP=1 -c "SET incident.months = 12" -f …                partitions of a year
--   psql -v ON_ERROR_STOP=1 -c "SET incident.bound = '2027-01-01'" -f …       where the first partition ends, in UTC
--
-- It takes two steps. The first reads every row, so that they are in memory, and stops nobody. The second stops all who
-- read and write for as long as PostgreSQL takes to see that the rows are before the bound: seconds for ten million, on a
-- busy machine several. Reports wait meanwhile; one that waits for more than 3.5 s is answered 503, and its phone sends it
-- again: none is lost. It waits for running statements for a third of a second at a time, so that nobody queues behind it
-- for longer, and gives up after a hundred attempts: then end what holds the tables (a dump?) and run the file again. What
-- fails changes nothing.
--
-- Privileges that others were given on the two tables must be given again. The server must have started on the
-- database once, and all that the log says of indexes must be done.

-- First step.
SELECT count(*) AS incidents FROM (SELECT * FROM incidents OFFSET 0) AS every_row;
SELECT count(*) AS events FROM (SELECT * FROM history OFFSET 0) AS every_row;

-- Second step.
DO $$
DECLARE
    months interval := make_interval(
        months => coalesce(nullif(current_setting('incident.months', true), ''), '6')::integer
    );
    now_utc timestamp := now() AT TIME ZONE 'UTC';
    bound timestamp := nullif(current_setting('incident.bound', true), '')::timestamp;
    owner name;
    position_now bigint;
    bounds uuid[];
    name_of_next text;
    found record;
BEGIN
    IF months NOT BETWEEN interval '1 month' AND interval '10 years' THEN
        RAISE EXCEPTION 'months must be 1 to 120; 6 and 12 are meant';
    END IF;
    IF bound IS NULL THEN
        bound := date_trunc('year', now_utc);
        WHILE bound <= now_utc LOOP
            bound := bound + months;
        END LOOP;
    END IF;

    -- A standby that is away would be waited for with the tables held.
    PERFORM set_config('synchronous_commit', 'local', true);
    FOR attempt IN 1..100 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '300ms', true);
            LOCK TABLE incidents, history IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.3);
        END;
    END LOOP;

    IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = 'incidents'::regclass) THEN
        RAISE EXCEPTION 'the tables are partitioned already';
    END IF;
    IF EXISTS (SELECT FROM pg_index WHERE indrelid = 'incidents'::regclass AND NOT indisvalid) THEN
        RAISE EXCEPTION 'an index is being made; run this again when the log of the server says that it is there';
    END IF;
    -- The servers go on making partitions, so all belongs to whom the tables belonged.
    SELECT tableowner INTO owner FROM pg_tables WHERE schemaname = current_schema AND tablename = 'incidents';
    PERFORM set_config('role', owner, true);

    ALTER TABLE incidents RENAME TO incidents_past;
    ALTER TABLE incidents_past RENAME CONSTRAINT incidents_pkey TO incidents_past_pkey;
    CREATE TABLE incidents (LIKE incidents_past INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id);
    ALTER TABLE incidents ADD CONSTRAINT incidents_pkey PRIMARY KEY (id);
    FOR found IN
        SELECT relname AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = 'incidents_past'::regclass AND NOT indisprimary
    LOOP
        EXECUTE format(
            'ALTER INDEX %I RENAME TO %I', found.name, replace(found.name, 'incidents_', 'incidents_past_')
        );
        EXECUTE replace(found.definition, '.incidents_past ', '.incidents ');
    END LOOP;

    -- By the incident's id, too: what happened to an incident is where the incident is, so a look-up, a sync and an
    -- erasure touch one partition of each table. The feed merges the partitions by their primary keys. A primary key of
    -- the whole would need the id in it; positions are given out by one sequence.
    ALTER TABLE history RENAME TO history_past;
    ALTER TABLE history_past RENAME CONSTRAINT history_pkey TO history_past_pkey;
    ALTER INDEX history_by_incident RENAME TO history_past_by_incident;
    SELECT last_value INTO position_now FROM history_position_seq;
    ALTER TABLE history_past ALTER COLUMN position DROP IDENTITY;
    CREATE SEQUENCE history_position_seq;
    PERFORM setval('history_position_seq', position_now);
    ALTER TABLE history_past ALTER COLUMN position SET DEFAULT nextval('history_position_seq');
    CREATE TABLE history (LIKE history_past INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (incident_id);
    ALTER SEQUENCE history_position_seq OWNED BY history.position;
    CREATE INDEX history_by_incident ON history (incident_id, position);

    -- An id begins with its moment: 48 bits of milliseconds.
    SELECT array_agg(rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid ORDER BY moment)
    INTO bounds
    FROM unnest(ARRAY[bound, bound + months]) AS moments (moment);
    name_of_next := 'from_' || to_char(bound, 'YYYY_MM_DD');
    FOR found IN
        SELECT tgname AS name, tgrelid::regclass AS past, pg_get_triggerdef(pg_trigger.oid) AS definition
        FROM pg_trigger
        WHERE tgrelid IN ('incidents_past'::regclass, 'history_past'::regclass) AND NOT tgisinternal
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.name, found.past);
        EXECUTE replace(replace(found.definition, '.incidents_past ', '.incidents '), '.history_past ', '.history ');
    END LOOP;
    CREATE TABLE incidents_default PARTITION OF incidents DEFAULT;
    CREATE TABLE history_default PARTITION OF history (PRIMARY KEY (position)) DEFAULT;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF incidents FOR VALUES FROM (%L) TO (%L)',
        'incidents_' || name_of_next, bounds[1], bounds[2]
    );
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF history (PRIMARY KEY (position)) FOR VALUES FROM (%L) TO (%L)',
        'history_' || name_of_next, bounds[1], bounds[2]
    );

    -- What is from after the bound, of phones whose clock is ahead. PostgreSQL finds it by the indexes.
    PERFORM set_config('enable_seqscan', 'off', true);
    PERFORM set_config('incident_server.writes', 'on', true); -- what is there is not judged again
    WITH later AS (DELETE FROM incidents_past WHERE id >= bounds[1] RETURNING *)
    INSERT INTO incidents SELECT * FROM later;
    WITH later AS (DELETE FROM history_past WHERE incident_id >= bounds[1] RETURNING *)
    INSERT INTO history SELECT * FROM later;
    EXECUTE format('ALTER TABLE incidents ATTACH PARTITION incidents_past FOR VALUES FROM (MINVALUE) TO (%L)', bounds[1]);
    EXECUTE format('ALTER TABLE history ATTACH PARTITION history_past FOR VALUES FROM (MINVALUE) TO (%L)', bounds[1]);
END $$;

SELECT
    relid::regclass AS partition,
    pg_get_expr(relpartbound, relid) AS rows_of,
    pg_size_pretty(pg_total_relation_size(relid)) AS size
FROM (VALUES ('incidents'), ('history')) AS tables (name)
CROSS JOIN LATERAL pg_partition_tree(name::regclass) AS tree
JOIN pg_class ON pg_class.oid = relid
WHERE isleaf;
