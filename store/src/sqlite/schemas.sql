-- What format 2 of events.db adds to format 1: made by the first schema that is recorded, or the first mode that is set.

CREATE TABLE schemas (
    type        TEXT NOT NULL,
    version     INTEGER NOT NULL,   -- 1, 2, 3, …
    document    TEXT NOT NULL,      -- a JSON Schema, as it was given
    fingerprint TEXT NOT NULL,      -- SHA-256 of its canonical form
    since       INTEGER NOT NULL,   -- when it was recorded
    PRIMARY KEY (type, version)
) STRICT, WITHOUT ROWID;

-- How the schemas are used, in one row. Not history.
CREATE TABLE schema_settings (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    mode       TEXT NOT NULL CHECK (mode IN ('off', 'declared', 'strict')),
    generation INTEGER NOT NULL     -- rises with every change of either table
) STRICT;
INSERT INTO schema_settings VALUES (1, 'declared', 0);

CREATE TRIGGER schemas_no_update BEFORE UPDATE ON schemas
    BEGIN SELECT RAISE(ABORT, 'stele: recorded schemas are immutable'); END;
CREATE TRIGGER schemas_no_delete BEFORE DELETE ON schemas
    BEGIN SELECT RAISE(ABORT, 'stele: recorded schemas are immutable'); END;
CREATE TRIGGER schemas_in_order BEFORE INSERT ON schemas
    WHEN EXISTS (SELECT 1 FROM schemas WHERE type = NEW.type AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'stele: recorded schemas are immutable'); END;
CREATE TRIGGER schema_settings_no_delete BEFORE DELETE ON schema_settings
    BEGIN SELECT RAISE(ABORT, 'stele: the schema mode is set, not deleted'); END;
