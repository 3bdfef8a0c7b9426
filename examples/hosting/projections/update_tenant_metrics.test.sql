-- What update_tenant_metrics.sql promises.

--@ test what happens in a day adds up for each tenant, by when it happened
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{},"occurred_at":"2026-01-05T10:00:00Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCompleted","data":{"size_bytes":100},"occurred_at":"2026-01-05T23:59:59Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupCompleted","data":{"size_bytes":30},"occurred_at":"2026-01-05T01:00:00+01:00"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-3","type":"BackupFailed","data":{"reason":"timeout"},"occurred_at":"2026-01-06T00:00:00Z"}
{"tenant":"zephyr","aggregate_type":"Backup","aggregate_id":"backup-3","type":"BackupFailed","data":{"reason":"timeout"},"occurred_at":"2026-01-06T00:00:00Z"}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{},"occurred_at":"2026-01-06T10:00:00Z"}
--@ expect
SELECT * FROM update_tenant_metrics ORDER BY tenant, day
--@ rows
["acme", "2026-01-05", 1, 0, 2, 0, 130]
["acme", "2026-01-06", 0, 1, 0, 1, 0]
["zephyr", "2026-01-06", 0, 0, 0, 1, 0]
