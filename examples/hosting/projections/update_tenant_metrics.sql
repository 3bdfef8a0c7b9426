-- What a tenant uses, day by day: for bills, and for the graphs that it is shown.
--
-- The day is the one in which an event happened. Storage is what that day's backups took, not what is kept of them.
--
--@ projection update_tenant_metrics version 1

--@ create
CREATE TABLE update_tenant_metrics (
    tenant TEXT NOT NULL,
    day TEXT NOT NULL,
    sites_created INTEGER NOT NULL DEFAULT 0,
    sites_deleted INTEGER NOT NULL DEFAULT 0,
    backups_completed INTEGER NOT NULL DEFAULT 0,
    backups_failed INTEGER NOT NULL DEFAULT 0,
    backup_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, day)
) WITHOUT ROWID;

--@ on SiteCreated
INSERT INTO update_tenant_metrics (tenant, day, sites_created)
VALUES (coalesce($tenant, ''), substr($occurred_at, 1, 10), 1)
ON CONFLICT (tenant, day) DO UPDATE SET sites_created = sites_created + 1;

--@ on SiteDeleted
INSERT INTO update_tenant_metrics (tenant, day, sites_deleted)
VALUES (coalesce($tenant, ''), substr($occurred_at, 1, 10), 1)
ON CONFLICT (tenant, day) DO UPDATE SET sites_deleted = sites_deleted + 1;

--@ on BackupCompleted
INSERT INTO update_tenant_metrics (tenant, day, backups_completed, backup_bytes)
VALUES (coalesce($tenant, ''), substr($occurred_at, 1, 10), 1, coalesce($data(size_bytes), 0))
ON CONFLICT (tenant, day) DO UPDATE
SET backups_completed = backups_completed + 1, backup_bytes = backup_bytes + excluded.backup_bytes;

--@ on BackupFailed
INSERT INTO update_tenant_metrics (tenant, day, backups_failed)
VALUES (coalesce($tenant, ''), substr($occurred_at, 1, 10), 1)
ON CONFLICT (tenant, day) DO UPDATE SET backups_failed = backups_failed + 1;
