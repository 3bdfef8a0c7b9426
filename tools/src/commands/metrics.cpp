// stele metrics: what the store, its projections and its listeners do, as Prometheus reads it.
#include "../definitions.hpp"
#include "commands.hpp"

#include <stele/metrics/metrics.hpp>

namespace stele::tool {
namespace {

Exit run_metrics(Context& context) {
    const auto config = listener_config(context);
    const EventStore store = context.open_existing(Context::Events::either);
    const auto known = known_projections(context);
    const auto text = metrics_text(store, known.registry, known_listeners(context, config), nullptr, config.health);
    if (context.json()) {
        context.out().json({{"format", "prometheus-0.0.4"}, {"text", text}});
    } else {
        context.out().write(text);
    }
    return known.report_broken_files(Exit::done, context.json());
}

}  // namespace

void add_metrics(CommandLine& line) {
    line.add(
        {"metrics",
         "Print metrics in the text format of Prometheus: events, lags, deliveries by listener and cause, dead\n"
         "letters, durations, health, breakers, owners. What others do is read from the store, so it may be run\n"
         "beside them: by node_exporter's textfile collector, or by whatever serves a page.",
         "stele metrics\n"
         "stele metrics > /var/lib/node_exporter/stele.prom",
         "0 done · 1 failed · 2 command line · 4 no such store"},
        [](Context& context) { return run_metrics(context); });
}

}  // namespace stele::tool
