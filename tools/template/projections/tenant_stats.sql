--@ projection tenant_stats version 1
-- How many sites each tenant has, and how many of their backups did not work.
--@ create
CREATE TABLE tenant_stats (
    tenant TEXT PRIMARY KEY,
    sites INTEGER NOT NULL DEFAULT 0,
    failed_backups INTEGER NOT NULL DEFAULT 0
);
--@ on SiteCreated
INSERT INTO tenant_stats (tenant, sites) VALUES ($tenant, 1) ON CONFLICT (tenant) DO UPDATE SET sites = sites + 1;
--@ on BackupFailed, BackupTimedOut
UPDATE tenant_stats SET failed_backups = failed_backups + 1 WHERE tenant = $tenant;
