// Webhooks: deliveries to a server of this machine, beside the same requests made by libcurl alone.
#include "both_sides.hpp"
#include "local_server.hpp"

#include <stele/projections/runner.hpp>
#include <stele/schema/event_json.hpp>
#include <stele/sinks/sink.hpp>

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace stele::bench {
namespace {

using namespace std::chrono_literals;

constexpr int in_flight = 32;

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// Posts bodies until none is left, over one connection.
void post_all(const std::string& url, const std::vector<std::string>& bodies, std::atomic<std::size_t>& next) {
    const std::unique_ptr<CURL, void (*)(CURL*)> easy{curl_easy_init(), curl_easy_cleanup};
    curl_slist* list = nullptr;
    for (const char* line :
         {"Content-Type: application/json", "webhook-id: 0123456789012345678901234567890123456789012",
          "webhook-timestamp: 1767600000", "webhook-signature: v1,0123456789012345678901234567890123456789012="})
        list = curl_slist_append(list, line);
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers{list, curl_slist_free_all};
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    for (std::size_t i = next++; i < bodies.size(); i = next++) {
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, bodies[i].c_str());
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(bodies[i].size()));
        const auto result = curl_easy_perform(easy.get());
        if (result != CURLE_OK) throw BenchError(std::string{"webhook: "} + curl_easy_strerror(result));
    }
}

bench::Runner webhooks(Context& context) {
    const auto events = std::max<std::size_t>(context.sizes().log_events / 5, 100);
    const auto log = std::make_shared<const FilledLog>(context.new_folder(), events);
    auto store = std::make_shared<EventStore>(EventStore::open(log->store()));
    auto bodies = std::make_shared<std::vector<std::string>>();
    for (const Event& event : store->read(all())) bodies->push_back(to_event_line(event));

    return [&context, log, store, bodies] {
        static std::atomic<int> number{0};
        const LocalServer server;
        Stopwatch stele;
        Stopwatch alone;
        stele.time([&] {
            RunnerOptions options;
            options.queues = {{.workers = in_flight}};
            stele::Runner runner{*store, options};
            Listener::Head head;
            head.name = "webhook_" + std::to_string(++number);
            sinks::Webhook hook;
            hook.url = server.url();
            hook.allow_private = true;
            runner.add(sinks::sink_listener(head, hook));
            runner.start();
            if (runner.wait_for_listener(head.name, store->head(), 10min) != WaitResult::reached)
                throw BenchError("webhook: not everything was delivered");
            runner.stop();
        });
        const auto delivered = server.requests();
        alone.time([&] {
            std::atomic<std::size_t> next{0};
            std::vector<std::thread> threads;
            for (int i = 0; i < in_flight; ++i)
                threads.emplace_back([&] { post_all(server.url(), *bodies, next); });
            for (auto& thread : threads) thread.join();
        });
        if (delivered != log->events() || server.requests() != 2 * log->events())
            throw BenchError("webhook: the server got another number of requests than there are events");
        context.compared(log->events());
        return std::vector{rates(static_cast<double>(log->events()), stele, alone)};
    };
}

}  // namespace

std::vector<Workload> webhook_workloads() {
    return {
        {.name = "listener-webhook",
         .about = "webhooks to a server of this machine, 32 in flight",
         .figures = {{.name = "listener-webhook",
                      .unit = "events/s",
                      .against = "the same calls of libcurl",
                      .goal = Goal{.value = 0.7}}},
         .prepare = webhooks},
    };
}

}  // namespace stele::bench
