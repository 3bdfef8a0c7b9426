-- What files.sql promises. Run them with `stele projection test files.sql`.

--@ test lines are those inserted less those deleted
--@ given
{"aggregate_type":"file","aggregate_id":"lib/a.c","type":"FileAdded","data":{"mode":"100644","blob":"a1","insertions":10,"deletions":0}}
{"aggregate_type":"file","aggregate_id":"lib/a.c","type":"FileModified","data":{"mode":"100644","blob":"a2","insertions":5,"deletions":2}}
--@ expect
SELECT path, mode, blob, lines FROM files
--@ rows
["lib/a.c", "100644", "a2", 13]

--@ test a file that is or becomes binary has no number of lines
--@ given
{"aggregate_type":"file","aggregate_id":"logo.png","type":"FileAdded","data":{"mode":"100644","blob":"p1","insertions":null,"deletions":null}}
{"aggregate_type":"file","aggregate_id":"text","type":"FileAdded","data":{"mode":"100644","blob":"w1","insertions":7,"deletions":0}}
{"aggregate_type":"file","aggregate_id":"text","type":"FileModified","data":{"mode":"100644","blob":"w2","insertions":null,"deletions":null}}
--@ expect
SELECT path, lines FROM files ORDER BY path
--@ rows
["logo.png", null]
["text", null]

--@ test a deleted file is gone, and may come back
--@ given
{"aggregate_type":"file","aggregate_id":"back","type":"FileAdded","data":{"mode":"100644","blob":"b1","insertions":3,"deletions":0}}
{"aggregate_type":"file","aggregate_id":"back","type":"FileDeleted","data":{"previous_blob":"b1","insertions":0,"deletions":3}}
--@ expect
SELECT * FROM files
--@ rows
--@ given
{"aggregate_type":"file","aggregate_id":"back","type":"FileAdded","data":{"mode":"100644","blob":"b2","insertions":4,"deletions":0}}
--@ expect
SELECT path, blob, lines FROM files
--@ rows
["back", "b2", 4]

--@ test a path that is there cannot be added again
--@ given
{"aggregate_type":"file","aggregate_id":"a","type":"FileAdded","data":{"mode":"100644","blob":"a1","insertions":1,"deletions":0}}
{"aggregate_type":"file","aggregate_id":"a","type":"FileAdded","data":{"mode":"100644","blob":"a2","insertions":2,"deletions":0}}
--@ expect failure
UNIQUE constraint failed: files.path
--@ expect
SELECT path, blob FROM files
--@ rows
["a", "a1"]
