-- What has failed, and what became of it: open until something that happened later has made up for it.
--
--   a provisioning that failed    the site was provisioned after all, or deleted
--   a backup that failed          a later backup of the site was completed, or the site was deleted
--
-- Reports of backups arrive late at times. A completed backup that ended before the failure makes up for nothing; and
-- a failure may be reported when a later backup was completed, or its site is gone. So times are compared, and `sites`
-- remembers of each site the last of either.
--
--@ projection failures version 1

--@ create
CREATE TABLE failures (
    position INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    site_id TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    correlation_id TEXT,
    resolved_by TEXT,
    resolved_at TEXT
);
CREATE INDEX failures_that_are_open ON failures (tenant, site_id, kind) WHERE resolved_by IS NULL;
CREATE TABLE sites (
    tenant TEXT NOT NULL,
    site_id TEXT NOT NULL,
    backed_up_at TEXT,
    deleted_at TEXT,
    PRIMARY KEY (tenant, site_id)
) WITHOUT ROWID;
CREATE VIEW open_failures AS
SELECT position, occurred_at, kind, tenant, site_id, aggregate_id, reason, correlation_id
FROM failures
WHERE resolved_by IS NULL;
CREATE VIEW failures_by_reason AS
SELECT kind, reason, count(*) AS failures, sum(resolved_by IS NULL) AS open
FROM failures
GROUP BY kind, reason;

--@ on SiteProvisioningFailed
INSERT INTO failures (position, kind, tenant, site_id, aggregate_id, reason, occurred_at, correlation_id)
VALUES ($position, 'provisioning', ifnull($tenant, ''), $aggregate_id, $aggregate_id, $data(reason), $occurred_at,
        $metadata(correlation_id));

--@ on BackupFailed
INSERT INTO failures (position, kind, tenant, site_id, aggregate_id, reason, occurred_at, correlation_id,
                      resolved_by, resolved_at)
SELECT $position, 'backup', ifnull($tenant, ''), $data(site_id), $aggregate_id, $data(reason), $occurred_at,
       $metadata(correlation_id),
       CASE WHEN deleted_at IS NOT NULL THEN 'SiteDeleted' WHEN backed_up_at >= $occurred_at THEN 'BackupCompleted' END,
       CASE WHEN deleted_at IS NOT NULL THEN deleted_at WHEN backed_up_at >= $occurred_at THEN backed_up_at END
FROM (SELECT 1)
LEFT JOIN sites ON tenant = ifnull($tenant, '') AND site_id = $data(site_id);

--@ on SiteProvisioned
UPDATE failures
SET resolved_by = $type, resolved_at = $occurred_at
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id AND kind = 'provisioning' AND resolved_by IS NULL;

--@ on BackupCompleted
UPDATE failures
SET resolved_by = $type, resolved_at = $occurred_at
WHERE tenant = ifnull($tenant, '') AND site_id = $data(site_id) AND kind = 'backup' AND resolved_by IS NULL
  AND occurred_at <= $occurred_at;
INSERT INTO sites (tenant, site_id, backed_up_at) VALUES (ifnull($tenant, ''), $data(site_id), $occurred_at)
ON CONFLICT (tenant, site_id) DO UPDATE SET backed_up_at = max(ifnull(backed_up_at, ''), excluded.backed_up_at);

--@ on SiteDeleted
UPDATE failures
SET resolved_by = $type, resolved_at = $occurred_at
WHERE tenant = ifnull($tenant, '') AND site_id = $aggregate_id AND resolved_by IS NULL;
INSERT INTO sites (tenant, site_id, deleted_at) VALUES (ifnull($tenant, ''), $aggregate_id, $occurred_at)
ON CONFLICT (tenant, site_id) DO UPDATE SET deleted_at = excluded.deleted_at;
