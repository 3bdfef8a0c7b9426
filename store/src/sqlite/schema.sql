-- events.db, format 1. Described for readers in docs/format.md.
-- Times are microseconds since 1970-01-01T00:00:00Z. Streams and types are interned to integers.

CREATE TABLE streams (
    stream         INTEGER PRIMARY KEY,
    tenant         TEXT NOT NULL,          -- '' where there is none
    aggregate_type TEXT NOT NULL,
    aggregate_id   TEXT NOT NULL,
    UNIQUE (tenant, aggregate_type, aggregate_id)
) STRICT;

CREATE TABLE types (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE events (
    position       INTEGER PRIMARY KEY,    -- 1, 2, 3, … without gaps
    stream         INTEGER NOT NULL REFERENCES streams,
    version        INTEGER NOT NULL,       -- 1, 2, 3, … in the stream
    type           INTEGER NOT NULL REFERENCES types,
    schema_version INTEGER NOT NULL,
    id             BLOB NOT NULL,          -- a UUID, 16 bytes
    occurred_at    INTEGER,                -- NULL: the writer did not say; it is recorded_at then
    recorded_at    INTEGER NOT NULL,       -- never goes down as position goes up
    data           TEXT NOT NULL,          -- JSON, as it was given
    metadata       TEXT NOT NULL,          -- a JSON object, as it was given
    tags           TEXT,                   -- a JSON array of strings; NULL: none
    UNIQUE (stream, version),
    UNIQUE (id)
) STRICT;

CREATE INDEX events_by_type ON events (type);

CREATE TABLE event_tags (
    tag      TEXT NOT NULL,
    type     INTEGER NOT NULL,
    position INTEGER NOT NULL REFERENCES events,
    PRIMARY KEY (tag, type, position)
) STRICT, WITHOUT ROWID;

-- How far a source has been taken in, written in the transaction of the events that came of it. Not history.
CREATE TABLE tracking (
    source   TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    note     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- L1: what is in the log stays as it is.
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'stele: events are immutable'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'stele: events are immutable'); END;
CREATE TRIGGER streams_no_update BEFORE UPDATE ON streams
    BEGIN SELECT RAISE(ABORT, 'stele: streams are immutable'); END;
CREATE TRIGGER streams_no_delete BEFORE DELETE ON streams
    BEGIN SELECT RAISE(ABORT, 'stele: streams are immutable'); END;
CREATE TRIGGER types_no_update BEFORE UPDATE ON types
    BEGIN SELECT RAISE(ABORT, 'stele: types are immutable'); END;
CREATE TRIGGER types_no_delete BEFORE DELETE ON types
    BEGIN SELECT RAISE(ABORT, 'stele: types are immutable'); END;
CREATE TRIGGER event_tags_no_update BEFORE UPDATE ON event_tags
    BEGIN SELECT RAISE(ABORT, 'stele: tags are immutable'); END;
CREATE TRIGGER event_tags_no_delete BEFORE DELETE ON event_tags
    BEGIN SELECT RAISE(ABORT, 'stele: tags are immutable'); END;
