-- A file of curl's sources: what it holds now, how long it is, how often it was changed, and by which commit last.
--@ aggregate file version 1

--@ initial
json_object('mode', NULL, 'blob', NULL, 'lines', 0, 'deleted', json('true'), 'changes', 0)

--@ on FileAdded, FileModified, FileModeChanged
-- A binary file has no lines: its insertions and deletions are null, and so is what is computed with them.
json_set($state,
    '$.mode', $data(mode),
    '$.blob', $data(blob),
    '$.lines', $state ->> '$.lines' + $data(insertions) - $data(deletions),
    '$.deleted', json('false'),
    '$.changes', $state ->> '$.changes' + 1,
    '$.commit', $metadata(correlation_id))

--@ on FileDeleted
json_set($state,
    '$.mode', NULL,
    '$.blob', NULL,
    '$.lines', 0,
    '$.deleted', json('true'),
    '$.changes', $state ->> '$.changes' + 1,
    '$.commit', $metadata(correlation_id))
