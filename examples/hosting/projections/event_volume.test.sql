-- What event_volume.sql promises.

--@ test events count in the minute in which they happened and not in the one in which they came
--@ given
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{},"occurred_at":"2026-01-05T10:00:59.999999Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupFailed","data":{},"occurred_at":"2026-01-05T10:01:00Z"}
{"tenant":"zephyr","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{},"occurred_at":"2026-01-05T12:01:30+02:00"}
{"tenant":"zephyr","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{},"occurred_at":"2026-01-05T10:00:00Z"}
--@ expect
SELECT minute, type, events FROM event_volume ORDER BY minute, type
--@ rows
["2026-01-05T10:00Z", "BackupFailed", 2]
["2026-01-05T10:01Z", "BackupFailed", 1]
["2026-01-05T10:01Z", "SiteCreated", 1]
--@ expect
SELECT hour, type, events FROM event_volume_by_hour ORDER BY hour, type
--@ rows
["2026-01-05T10:00Z", "BackupFailed", 3]
["2026-01-05T10:00Z", "SiteCreated", 1]
