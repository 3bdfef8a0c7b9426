-- The files of a source tree, with mode, content and number of lines, out of the history of its changes.
--
-- An event carries the lines that were inserted and deleted, and null for a binary file. NULL and anything else
-- add up to NULL, so that a file which is, or becomes, binary has no number of lines.
--
--@ projection files version 1

--@ create
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    blob TEXT NOT NULL,
    lines INTEGER
) WITHOUT ROWID;

--@ on FileAdded
INSERT INTO files (path, mode, blob, lines)
VALUES ($aggregate_id, $data(mode), $data(blob), $data(insertions) - $data(deletions));

--@ on FileModified, FileModeChanged
UPDATE files
SET mode = $data(mode), blob = $data(blob), lines = lines + $data(insertions) - $data(deletions)
WHERE path = $aggregate_id;

--@ on FileDeleted
DELETE FROM files WHERE path = $aggregate_id;
