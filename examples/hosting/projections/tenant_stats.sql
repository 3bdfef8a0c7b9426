-- What each tenant has: sites by state, storage, backups by outcome, and when something last happened.
--
-- A tenant's row sums up the sites that are there, and the backups of these sites. A site takes its backups along when
-- it is deleted, and the row goes when the last site does. Site ids are unique within a tenant, no further.
--
-- The handlers write down what happened to a site; the triggers add up what changed. An event about a site that is not
-- there any more (a backup that ended while its site was being deleted) meets no row, and changes nothing.
--
--@ projection tenant_stats version 1

--@ create
CREATE TABLE tenant_stats (
    tenant TEXT PRIMARY KEY,
    sites_creating INTEGER NOT NULL DEFAULT 0,
    sites_active INTEGER NOT NULL DEFAULT 0,
    sites_failed INTEGER NOT NULL DEFAULT 0,
    disk_bytes INTEGER NOT NULL DEFAULT 0,
    backup_bytes INTEGER NOT NULL DEFAULT 0,
    backups_running INTEGER NOT NULL DEFAULT 0,
    backups_completed INTEGER NOT NULL DEFAULT 0,
    backups_failed INTEGER NOT NULL DEFAULT 0,
    last_activity TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE sites (
    tenant TEXT NOT NULL,
    site_id TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'creating',
    disk_bytes INTEGER NOT NULL DEFAULT 0,
    backup_bytes INTEGER NOT NULL DEFAULT 0,
    backups_running INTEGER NOT NULL DEFAULT 0,
    backups_completed INTEGER NOT NULL DEFAULT 0,
    backups_failed INTEGER NOT NULL DEFAULT 0,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (tenant, site_id)
) WITHOUT ROWID;

CREATE TRIGGER site_came AFTER INSERT ON sites BEGIN
    INSERT INTO tenant_stats (tenant, sites_creating, last_activity) VALUES (new.tenant, 1, new.changed_at)
    ON CONFLICT (tenant) DO UPDATE SET
        sites_creating = sites_creating + 1,
        last_activity = max(last_activity, excluded.last_activity);
END;
CREATE TRIGGER site_changed AFTER UPDATE ON sites BEGIN
    UPDATE tenant_stats SET
        sites_creating = sites_creating + (new.state = 'creating') - (old.state = 'creating'),
        sites_active = sites_active + (new.state = 'active') - (old.state = 'active'),
        sites_failed = sites_failed + (new.state = 'failed') - (old.state = 'failed'),
        disk_bytes = disk_bytes + new.disk_bytes - old.disk_bytes,
        backup_bytes = backup_bytes + new.backup_bytes - old.backup_bytes,
        backups_running = backups_running + new.backups_running - old.backups_running,
        backups_completed = backups_completed + new.backups_completed - old.backups_completed,
        backups_failed = backups_failed + new.backups_failed - old.backups_failed,
        last_activity = max(last_activity, new.changed_at)
    WHERE tenant = new.tenant;
END;
CREATE TRIGGER site_went AFTER DELETE ON sites BEGIN
    UPDATE tenant_stats SET
        sites_creating = sites_creating - (old.state = 'creating'),
        sites_active = sites_active - (old.state = 'active'),
        sites_failed = sites_failed - (old.state = 'failed'),
        disk_bytes = disk_bytes - old.disk_bytes,
        backup_bytes = backup_bytes - old.backup_bytes,
        backups_running = backups_running - old.backups_running,
        backups_completed = backups_completed - old.backups_completed,
        backups_failed = backups_failed - old.backups_failed
    WHERE tenant = old.tenant;
    DELETE FROM tenant_stats
    WHERE tenant = old.tenant AND sites_creating + sites_active + sites_failed = 0;
END;

--@ on SiteCreated
INSERT INTO sites (tenant, site_id, changed_at) VALUES (ifnull($tenant, ''), $aggregate_id, $occurred_at);

--@ on SiteProvisioned
UPDATE sites
SET state = 'active', disk_bytes = $data(disk_bytes), changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id;

--@ on SiteProvisioningFailed
UPDATE sites
SET state = 'failed', changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id;

--@ on SiteDeleted
-- The deletion is the last thing that happened to the site, so it is written down before the site goes.
UPDATE sites
SET changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id;
DELETE FROM sites
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id;

--@ on BackupCreated
UPDATE sites
SET backups_running = backups_running + 1, changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $data(site_id);

--@ on BackupCompleted
UPDATE sites
SET backups_running = backups_running - 1,
    backups_completed = backups_completed + 1,
    backup_bytes = backup_bytes + $data(size_bytes),
    changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $data(site_id);

--@ on BackupFailed
UPDATE sites
SET backups_running = backups_running - 1,
    backups_failed = backups_failed + 1,
    changed_at = max(changed_at, $occurred_at)
WHERE tenant = ifnull($tenant, '') AND site_id = $data(site_id);
