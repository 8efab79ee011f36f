-- What the one statement that writes is given: rows, in two arrays. Taken together from an array a column they cost
-- PostgreSQL a tenth of a commit. The fields are in the order in which the server sends them.
CREATE TYPE given_incident AS (
    id                  uuid,
    seen                smallint,
    version             smallint,
    is_anonymous        boolean,
    clock_suspect       boolean,
    longitude_e7        integer,
    latitude_e7         integer,
    created_at_ms       bigint,
    received_at_ms      bigint,
    cancelled_at_ms     bigint,
    location_id         text,
    room_number         text,
    reporter            text,
    cancellation_reason text
);

CREATE TYPE given_event AS (
    incident_id         uuid,
    at_ms               bigint,
    kind                text,
    cancellation_reason text
);
