#!/usr/bin/env bash
# promtool, Prometheus's own checker, accepts what `stele metrics` prints. Skipped where promtool is not to be had.
#
# usage: check_metrics.sh STELE WORK
# promtool is taken from the path, or else out of Debian's package `prometheus`, which is not installed for it: that
# would start a server.
set -euo pipefail
stele=$1 work=$2
skip() {
    echo "skipped: $*"
    exit 0
}
mkdir -p "$work"
cd "$work"
promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
    promtool=$work/prometheus/usr/bin/promtool
    if [ ! -x "$promtool" ]; then
        command -v apt-get >/dev/null || skip "there is no promtool, and no apt-get to get it"
        timeout 120 apt-get download prometheus >download.log 2>&1 || skip "apt cannot get the package prometheus"
        dpkg-deb -x prometheus_*.deb prometheus && rm -f prometheus_*.deb
    fi
fi

rm -rf project
mkdir -p project/projections
cd project
cat >stele.toml <<'TOML'
store = "log.stele"

[[listener]]
name = "to_file"
sink = { type = "jsonl", path = "out.jsonl" }

[[listener]]
name = "refuses"
types = ["B"]
attempts = 1
breaker = { failures = 3, open = "1h" }
sink = { type = "exec", command = ["sh", "-c", "echo 'a \"quoted\" reason\\' >&2; exit 1"] }
TOML
cat >projections/counts.sql <<'SQL'
--@ projection counts version 1
--@ create
CREATE TABLE counts (type TEXT PRIMARY KEY, events INTEGER NOT NULL);
--@ on *
INSERT INTO counts VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET events = events + 1;
SQL
for type in A B A; do "$stele" append Order/1 $type >/dev/null; done
"$stele" run --until-caught-up 2>run.log
"$stele" metrics >metrics.prom
"$promtool" check metrics <metrics.prom
grep -q '^stele_deliveries_dead_total{.*listener="refuses".*} 1$' metrics.prom || {
    cat metrics.prom
    echo "no dead letter of the listener \"refuses\" in it" >&2
    exit 1
}
