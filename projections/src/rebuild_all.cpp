#include <stele/projections/rebuild_all.hpp>

#include "background.hpp"
#include "for_store.hpp"
#include "naming.hpp"
#include "rebuild_job.hpp"
#include "shared_scan.hpp"

#include <stele/schema/upcaster.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace stele {
namespace {

constexpr std::int64_t cache_kibibytes = 32 * 1024;
constexpr std::int64_t least_cache_kibibytes = 2 * 1024;

/// A projection whose events are at most one in so many is faster by the indexes than by passing over all others: a
/// seek costs about as much as eight rows of a scan.
constexpr std::size_t rare = 8;

// One of the projections, until its result is there. Errors stay with it.
struct Task {
    const Projection& projection;
    RebuildOptions options;
    RebuildResult result;
    std::unique_ptr<RebuildJob> job{};
    bool is_rare = false;

    template <class Work>
    void attempt(const Work& work) {
        if (result.error) return;
        try {
            naming(projection.name(), work);
        } catch (const std::exception& error) {
            fail(std::current_exception(), error.what());
        } catch (...) {
            fail(std::current_exception(), "an error that is no std::exception");
        }
    }

    void fail(std::exception_ptr error, std::string message) {
        result.error = std::move(error);
        result.message = std::move(message);
        job.reset();
    }
};

// How many of the log's events the projection selects, looked up at places spread over the log.
bool are_rare(const EventStore& store, const Projection& projection, Position from, Position target) {
    const auto& items = projection.query().items();
    const bool has_index = !items.empty() && std::all_of(items.begin(), items.end(), [](const QueryItem& item) {
        return !item.types.empty() || !item.tags.empty() || item.stream;
    });
    if (!has_index) return false;
    constexpr std::int64_t places = 16;
    constexpr std::size_t at_each = 32;
    std::size_t looked_at = 0;
    std::size_t selected = 0;
    for (std::int64_t place = 0; place < places; ++place) {
        const auto after = from.value() + (target.value() - from.value()) * place / places;
        try {
            for (const Event& event : store.read(all().after(Position{after}).until(target).limit(at_each))) {
                ++looked_at;
                if (projection.query().matches(event)) ++selected;
            }
        } catch (const UpcastError&) {
            continue;  // for the fold to come upon
        }
    }
    return selected * rare < looked_at;
}

Query union_of(const std::vector<Task*>& tasks) {
    Query all_of_them = tasks.front()->projection.query();
    for (const auto* task : tasks) {
        if (all_of_them.selects_everything() || task->projection.query().selects_everything()) return {};
        all_of_them = all_of_them | task->projection.query();
    }
    return all_of_them;
}

EventParts parts_of(const std::vector<Task*>& tasks) {
    EventParts parts{false, false, false, false};
    for (const auto* task : tasks) {
        parts = parts | task->projection.parts();
        for (const auto& item : task->projection.query().items()) parts.tags = parts.tags || !item.tags.empty();
    }
    return parts;
}

// Calls `work` with each of 0 … count - 1, by whichever thread is free.
class Turns {
public:
    explicit Turns(std::size_t count) : count_(count) {}
    template <class Work>
    void take(const Work& work) {
        for (auto turn = next_++; turn < count_; turn = next_++) work(turn);
    }

private:
    std::size_t count_;
    std::atomic<std::size_t> next_ = 0;
};

// Runs `work` in so many threads, this one among them.
template <class Work>
void in_threads(std::size_t count, const Work& work) {
    std::vector<std::thread> others;
    const auto join = [&] {
        for (auto& thread : others) thread.join();
    };
    try {
        while (others.size() + 1 < count) others.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads are to be had: those that are there do it.
    }
    work();
    join();
}

}  // namespace

std::vector<RebuildResult> rebuild_all(const EventStore& store,
                                       std::span<const std::shared_ptr<const Projection>> projections,
                                       const RebuildAllOptions& options) {
    const auto until = bound_of(store, options.each);
    const auto target = until.value_or(store.head());

    std::mutex telling;
    std::vector<std::shared_ptr<const Projection>> through;
    std::vector<std::unique_ptr<Task>> tasks;
    for (const auto& given : projections) {
        const auto& projection = through.emplace_back(for_store(store, given));
        auto& task = *tasks.emplace_back(
            std::make_unique<Task>(Task{*projection, options.each, RebuildResult{projection->name()}}));
        task.options.into.reset();
        task.options.progress = [&options, &telling, &task](const FoldProgress& progress) {
            const std::lock_guard lock{telling};
            if (options.progress) options.progress(task.projection, progress);
        };
        task.attempt([&] {
            task.job = std::make_unique<RebuildJob>(store, task.projection, task.options, until);
            const auto share =
                std::max(least_cache_kibibytes, cache_kibibytes / static_cast<std::int64_t>(projections.size()));
            sql::execute(task.job->db(), ("PRAGMA cache_size = -" + std::to_string(share)).c_str());
            task.is_rare = are_rare(store, task.projection, task.job->begins_at(), target);
        });
    }

    std::vector<Task*> alone;
    std::vector<Task*> together;
    auto from = target;
    for (const auto& task : tasks) {
        if (!task->job) continue;
        if (!task->is_rare) from = std::min(from, task->job->begins_at());
        (task->is_rare ? alone : together).push_back(task.get());
    }

    std::optional<SharedScan> scan;
    if (!together.empty()) {
        std::vector<SharedScan::Consumer> consumers;
        for (auto* task : together) {
            task->attempt([&] { task->job->head_for(target); });
            consumers.emplace_back([task](std::span<const Event> events) {
                if (!task->job) return;  // it failed before it began
                naming(task->projection.name(), [&] {
                    for (const Event& event : events) task->job->take(event);
                });
            });
        }
        Read read{union_of(together)};
        read.after(from).until(target).only(parts_of(together));
        scan.emplace(store.read(read), std::move(consumers), options.each.stop);
    }

    const auto finish = [&](Task& task) {
        task.attempt([&] { task.result.rebuilt = task.job->finish(); });
        task.job.reset();
    };
    Turns rare_ones{alone.size()};
    Turns fed_ones{together.size()};
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    in_threads(std::min(options.threads == 0 ? cores : options.threads, projections.size() + 1), [&] {
        rare_ones.take([&](std::size_t i) { finish(*alone[i]); });
        if (scan) in_background(options.each.niceness, [&] { scan->work(); });
        fed_ones.take([&](std::size_t i) {
            auto& task = *together[i];
            task.attempt([&] {
                try {
                    if (const auto error = scan->error_of(i)) std::rethrow_exception(error);
                    if (!options.each.stop.stop_requested()) task.job->pass(target);
                } catch (const UpcastError&) {
                    // Whom the event concerns comes upon it again, going on by itself, and says so.
                }
            });
            finish(task);
        });
    });

    std::vector<RebuildResult> results;
    for (auto& task : tasks) results.push_back(std::move(task->result));
    return results;
}

}  // namespace stele
