-- Who did what, when, and from where; searchable.
--
--   SELECT a.* FROM audit_search s JOIN audit_log a ON a.position = s.rowid
--   WHERE audit_search MATCH 'type:SiteDeleted AND ip:"203.0.113." *';
--
-- A row is an event, and its key the event's position in the log. audit_search is an index over these rows and holds
-- no copy of them. Its words may hold - _ . and @, so that site-42, 203.0.113.9 and mara@acme.example are one word each.
--
--@ projection audit_log version 1

--@ create
CREATE TABLE audit_log (
    position INTEGER PRIMARY KEY,
    occurred_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    actor TEXT,
    ip TEXT,
    client TEXT,
    type TEXT NOT NULL,
    tenant TEXT,
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    correlation_id TEXT,
    data TEXT NOT NULL
);
CREATE INDEX audit_log_by_tenant ON audit_log (tenant, occurred_at);
CREATE INDEX audit_log_by_actor ON audit_log (actor, occurred_at);
CREATE INDEX audit_log_by_correlation ON audit_log (correlation_id);
CREATE VIRTUAL TABLE audit_search USING fts5 (
    actor, ip, client, type, tenant, aggregate_id, correlation_id, data,
    content = 'audit_log', content_rowid = 'position', tokenize = "unicode61 tokenchars '-_.@'"
);

--@ on *
INSERT INTO audit_log (position, occurred_at, recorded_at, actor, ip, client, type, tenant, aggregate_type,
                       aggregate_id, correlation_id, data)
VALUES ($position, $occurred_at, $recorded_at, $metadata(actor), $metadata(ip), $metadata(client), $type, $tenant,
        $aggregate_type, $aggregate_id, $metadata(correlation_id), $data);
INSERT INTO audit_search (rowid, actor, ip, client, type, tenant, aggregate_id, correlation_id, data)
VALUES ($position, $metadata(actor), $metadata(ip), $metadata(client), $type, $tenant, $aggregate_id,
        $metadata(correlation_id), $data);
