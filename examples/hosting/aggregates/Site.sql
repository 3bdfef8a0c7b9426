-- A site: what was ordered, where it runs, and what went wrong on the way.
--@ aggregate Site version 2

--@ on SiteCreated
json_object(
    'state', 'creating',
    'domain', $data(domain),
    'plan', $data(plan),
    'region', $data(region),
    'backup_every_days', $data(backup_every_days),
    'created_at', $occurred_at,
    'created_by', $metadata(actor),
    'failed_attempts', 0)

--@ on SiteProvisioned
json_set($state,
    '$.state', 'active',
    '$.server', $data(server),
    '$.disk_bytes', $data(disk_bytes),
    '$.provisioned_at', $occurred_at)

--@ on SiteProvisioningFailed
json_set($state,
    '$.state', 'failed',
    '$.failed_attempts', ifnull($state ->> '$.failed_attempts', 0) + 1,
    '$.last_failure', $data(reason))

--@ on SiteDeleted
-- What it had on the server is gone; who deleted it, when and why is what remains to be said.
json_set(json_remove($state, '$.server', '$.disk_bytes'),
    '$.state', 'deleted',
    '$.deleted_at', $occurred_at,
    '$.deleted_by', $metadata(actor),
    '$.reason', $data(reason))
