-- A backup: of which site, and what came of it.
--@ aggregate Backup version 1

--@ on BackupCreated
json_object(
    'state', 'running',
    'site_id', $data(site_id),
    'kind', $data(kind),
    'started_at', $occurred_at)

--@ on BackupCompleted
json_set($state,
    '$.state', 'completed',
    '$.size_bytes', $data(size_bytes),
    '$.seconds', $data(seconds),
    '$.ended_at', $occurred_at)

--@ on BackupFailed
json_set($state,
    '$.state', 'failed',
    '$.reason', $data(reason),
    '$.ended_at', $occurred_at)
