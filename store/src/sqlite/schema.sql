-- events.db, format 1; schemas.sql adds what format 2 has. Described for readers in docs/format.md.
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

-- L1: what is in the log stays as it is. The triggers stand against every connection but the one that appends: its
-- statements are known, so it switches triggers off (they would cost it a third of its speed).
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

-- INSERT OR REPLACE deletes what stands in its way without asking a DELETE trigger. So an event is taken at the next
-- position (L2) and the next version (L3) alone, under an id that is new; and a number is given to one name only.
CREATE TRIGGER events_in_order BEFORE INSERT ON events
    WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
      OR NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream = NEW.stream)
      OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'stele: events are appended, in order, under new ids'); END;
CREATE TRIGGER streams_in_order BEFORE INSERT ON streams
    WHEN EXISTS (SELECT 1 FROM streams WHERE stream = NEW.stream)
      OR EXISTS (SELECT 1 FROM streams WHERE tenant = NEW.tenant AND aggregate_type = NEW.aggregate_type
                                         AND aggregate_id = NEW.aggregate_id)
    BEGIN SELECT RAISE(ABORT, 'stele: streams are immutable'); END;
CREATE TRIGGER types_in_order BEFORE INSERT ON types
    WHEN EXISTS (SELECT 1 FROM types WHERE type = NEW.type) OR EXISTS (SELECT 1 FROM types WHERE name = NEW.name)
    BEGIN SELECT RAISE(ABORT, 'stele: types are immutable'); END;
CREATE TRIGGER event_tags_in_order BEFORE INSERT ON event_tags
    WHEN EXISTS (SELECT 1 FROM event_tags WHERE tag = NEW.tag AND type = NEW.type AND position = NEW.position)
    BEGIN SELECT RAISE(ABORT, 'stele: tags are immutable'); END;
