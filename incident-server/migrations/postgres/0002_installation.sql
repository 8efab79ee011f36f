-- What belongs to the database and to no incident; one row, which the first server inserts.
--
-- series names the feed of changes that positions are counted in. A database that was restored begins a new one,
-- so that a reader of the old one does not skip what is given the same positions again. home says where this
-- series runs: a dump that is read into another database does not fit it and begins a new one.
-- id_secret_fingerprint is that of the secret under which the ids were made.
--
-- The indexes of open and cancelled incidents came with this version, too: see store/postgres/indexes.rs, which
-- makes them without stopping anybody who writes.
CREATE TABLE installation (
    id                    boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (id),
    series                bigint  NOT NULL,
    home                  text    NOT NULL,
    id_secret_fingerprint bytea   CHECK (length(id_secret_fingerprint) = 32)
);

-- What no server writes is refused, whoever writes it. Rows that are there already are not looked at, so this
-- takes no time on any table.
ALTER TABLE incidents
    ADD CONSTRAINT incidents_version CHECK (version > 0) NOT VALID,
    ADD CONSTRAINT incidents_coordinates CHECK (
        longitude_e7 BETWEEN -1800000000 AND 1800000000
        AND latitude_e7 BETWEEN -900000000 AND 900000000
    ) NOT VALID,
    ADD CONSTRAINT incidents_times CHECK (
        created_at_ms BETWEEN 0 AND 253402300799999
        AND received_at_ms BETWEEN 0 AND 253402300799999
        AND cancelled_at_ms BETWEEN 0 AND 253402300799999
    ) NOT VALID,
    ADD CONSTRAINT incidents_anonymous CHECK (NOT is_anonymous OR reporter IS NULL) NOT VALID,
    ADD CONSTRAINT incidents_cancellation CHECK (
        (cancelled_at_ms IS NULL) = (cancellation_reason IS NULL)
    ) NOT VALID;

ALTER TABLE history
    ADD CONSTRAINT history_position CHECK (position > 0) NOT VALID,
    ADD CONSTRAINT history_time CHECK (at_ms BETWEEN 0 AND 253402300799999) NOT VALID,
    ADD CONSTRAINT history_kind CHECK (
        kind IN ('created', 'cancelled', 'cancellationRestated', 'erased')
    ) NOT VALID,
    ADD CONSTRAINT history_reason CHECK (
        (kind IN ('cancelled', 'cancellationRestated')) = (cancellation_reason IS NOT NULL)
    ) NOT VALID;
