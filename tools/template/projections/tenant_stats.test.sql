-- What tenant_stats.sql promises. Run them with `stele projection test`.

--@ test sites count for their tenant
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-2","type":"SiteCreated","data":{}}
{"tenant":"umbrella","aggregate_type":"Site","aggregate_id":"site-3","type":"SiteCreated","data":{}}
--@ expect
SELECT tenant, sites FROM tenant_stats
--@ rows in any order
["acme", 2]
["umbrella", 1]

--@ test a backup that failed and one that timed out both count
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{}}
--@ expect
SELECT failed_backups FROM tenant_stats WHERE tenant = 'acme'
--@ rows
[0]
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"BackupFailed","data":{"reason":"disk full"}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"BackupTimedOut","data":{}}
--@ expect
SELECT failed_backups FROM tenant_stats WHERE tenant = 'acme'
--@ rows
[2]
