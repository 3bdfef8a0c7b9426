-- How many sites each tenant has.
--@ projection tenant_sites version 1

--@ create
CREATE TABLE tenant_sites (
    tenant TEXT PRIMARY KEY,
    sites INTEGER NOT NULL
) WITHOUT ROWID;

--@ on SiteCreated
INSERT INTO tenant_sites (tenant, sites) VALUES ($tenant, 1)
ON CONFLICT (tenant) DO UPDATE SET sites = sites + 1;
