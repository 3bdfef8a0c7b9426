-- What failures.sql promises.

--@ test a provisioning that failed is open until the site is provisioned
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioningFailed","data":{"reason":"no_capacity"},"metadata":{"correlation_id":"req-1"}}
--@ expect
SELECT kind, tenant, site_id, reason, correlation_id FROM open_failures
--@ rows
["provisioning", "acme", "site-1", "no_capacity", "req-1"]
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioned","data":{"disk_bytes":1}}
--@ expect
SELECT resolved_by, resolved_at FROM failures
--@ rows
["SiteProvisioned", "2026-01-01T00:00:02.000000Z"]

--@ test a later backup of the same site makes up for one that failed
--@ given
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{"site_id":"site-1","reason":"timeout"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupFailed","data":{"site_id":"site-2","reason":"timeout"}}
{"tenant":"zephyr","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{"site_id":"site-1","reason":"disk_full"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-3","type":"BackupCompleted","data":{"site_id":"site-1","size_bytes":1}}
--@ expect
SELECT tenant, site_id FROM open_failures ORDER BY position
--@ rows
["acme", "site-2"]
["zephyr", "site-1"]
--@ expect
SELECT reason, failures, open FROM failures_by_reason ORDER BY reason
--@ rows
["disk_full", 1, 1]
["timeout", 2, 1]

--@ test an earlier backup that is reported late makes up for nothing
--@ given
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupFailed","data":{"site_id":"site-1","reason":"timeout"},"occurred_at":"2026-01-05T10:00:00Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCompleted","data":{"site_id":"site-1","size_bytes":1},"occurred_at":"2026-01-05T09:00:00Z"}
--@ expect
SELECT count(*) FROM open_failures
--@ rows
[1]

--@ test a failure that is reported after a later backup is not open
--@ given
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupCompleted","data":{"site_id":"site-1","size_bytes":1},"occurred_at":"2026-01-05T10:00:00Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{"site_id":"site-1","reason":"timeout"},"occurred_at":"2026-01-05T09:00:00Z"}
--@ expect
SELECT resolved_by, resolved_at FROM failures
--@ rows
["BackupCompleted", "2026-01-05T10:00:00.000000Z"]

--@ test a site that is deleted leaves nothing open
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioningFailed","data":{"reason":"no_capacity"}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{"reason":"never_provisioned"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupFailed","data":{"site_id":"site-1","reason":"site_deleted"}}
--@ expect
SELECT kind, resolved_by FROM failures ORDER BY position
--@ rows
["provisioning", "SiteDeleted"]
["backup", "SiteDeleted"]
