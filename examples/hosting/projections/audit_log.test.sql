-- What audit_log.sql promises.

--@ test a row says who did what and when and from where
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{"reason":"customer_request"},"occurred_at":"2026-01-05T10:00:00Z","metadata":{"actor":"mara@acme.example","ip":"203.0.113.9","client":"cli","correlation_id":"req-1"}}
--@ expect
SELECT position, actor, type, occurred_at, ip, client, tenant, aggregate_type, aggregate_id, correlation_id, data FROM audit_log
--@ rows
[1, "mara@acme.example", "SiteDeleted", "2026-01-05T10:00:00.000000Z", "203.0.113.9", "cli", "acme", "Site", "site-1", "req-1", {"reason":"customer_request"}]

--@ test what is not known is NULL
--@ given
{"aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{}}
--@ expect
SELECT tenant, actor, ip, client, correlation_id FROM audit_log
--@ rows
[null, null, null, null, null]

--@ test the search finds words of all columns and the beginnings of words
--@ given
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteCreated","data":{"domain":"shop.acme.example"},"metadata":{"actor":"mara@acme.example","ip":"203.0.113.9"}}
{"tenant":"acme","aggregate_type":"Site","aggregate_id":"site-12","type":"SiteCreated","data":{"domain":"blog.acme.example"},"metadata":{"actor":"nils@acme.example","ip":"203.0.113.200"}}
{"tenant":"zephyr","aggregate_type":"Site","aggregate_id":"site-1","type":"SiteDeleted","data":{"reason":"account_closed"},"metadata":{"actor":"olga@zephyr.example","ip":"192.0.2.9"}}
--@ expect
SELECT rowid FROM audit_search('"mara@acme.example"')
--@ rows
[1]
--@ expect
SELECT rowid FROM audit_search('"site-1"') ORDER BY rowid
--@ rows
[1]
[3]
--@ expect
SELECT a.aggregate_id FROM audit_search('ip:"203.0.113." *') s JOIN audit_log a ON a.position = s.rowid ORDER BY a.position
--@ rows
["site-1"]
["site-12"]
--@ expect
SELECT rowid FROM audit_search('account_closed AND tenant:zephyr')
--@ rows
[3]
--@ expect
SELECT rowid FROM audit_search('account_closed AND tenant:acme')
--@ rows
