--@ aggregate Site version 1
-- The state of a site after each of its events. An event that is not named here leaves it as it is.
--@ on SiteCreated
json_object('status', 'creating', 'domain', $data(domain), 'plan', $data(plan))
--@ on SiteProvisioned
json_set($state, '$.status', 'active', '$.server', $data(server))
--@ on PlanChanged
json_set($state, '$.plan', $data(plan))
--@ on BackupFailed, BackupTimedOut
json_set($state, '$.last_failed_backup', $occurred_at)
