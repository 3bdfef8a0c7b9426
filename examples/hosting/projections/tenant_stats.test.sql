-- What tenant_stats.sql promises. The n-th event of a test happens n seconds into 2026 where it does not say otherwise.

--@ test a site goes from creating to active and takes up disk
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{"domain":"a.example"}}
--@ expect
SELECT tenant, sites_creating, sites_active, disk_bytes, last_activity FROM tenant_stats
--@ rows
["acme", 1, 0, 0, "2026-01-01T00:00:01.000000Z"]
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioned","data":{"disk_bytes":4096}}
--@ expect
SELECT tenant, sites_creating, sites_active, disk_bytes, last_activity FROM tenant_stats
--@ rows
["acme", 0, 1, 4096, "2026-01-01T00:00:02.000000Z"]

--@ test a site that could not be provisioned may be provisioned after all
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioningFailed","data":{"reason":"no_capacity"}}
--@ expect
SELECT sites_creating, sites_active, sites_failed FROM tenant_stats
--@ rows
[0, 0, 1]
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteProvisioned","data":{"disk_bytes":4096}}
--@ expect
SELECT sites_creating, sites_active, sites_failed FROM tenant_stats
--@ rows
[0, 1, 0]

--@ test backups are counted by their outcome
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCreated","data":{"site_id":"site-1"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupCreated","data":{"site_id":"site-1"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-3","type":"BackupCreated","data":{"site_id":"site-1"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCompleted","data":{"site_id":"site-1","size_bytes":700}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupFailed","data":{"site_id":"site-1"}}
--@ expect
SELECT backups_running, backups_completed, backups_failed, backup_bytes FROM tenant_stats
--@ rows
[1, 1, 1, 700]

--@ test a site that is deleted takes its backups along and the last one takes the row
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-2","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCreated","data":{"site_id":"site-1"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCompleted","data":{"site_id":"site-1","size_bytes":700}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{"reason":"customer_request"}}
--@ expect
SELECT sites_creating, backups_completed, backup_bytes, last_activity FROM tenant_stats
--@ rows
[1, 0, 0, "2026-01-01T00:00:05.000000Z"]
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-2","type":"SiteDeleted","data":{"reason":"customer_request"}}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-2","type":"BackupFailed","data":{"site_id":"site-2"}}
--@ expect
SELECT * FROM tenant_stats
--@ rows

--@ test two tenants may have a site of the same id
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"zephyr","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{"reason":"customer_request"}}
--@ expect
SELECT tenant, sites_creating FROM tenant_stats
--@ rows
["zephyr", 1]

--@ test a report that arrives late does not move the last activity back
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{},"occurred_at":"2026-01-05T10:00:00Z"}
{"tenant":"acme","aggregate_type":"Backup","aggregate_id":"backup-1","type":"BackupCreated","data":{"site_id":"site-1"},"occurred_at":"2026-01-05T09:00:00Z"}
--@ expect
SELECT backups_running, last_activity FROM tenant_stats
--@ rows
[1, "2026-01-05T10:00:00.000000Z"]

--@ test the same site cannot be created twice
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
--@ expect failure
UNIQUE constraint failed
