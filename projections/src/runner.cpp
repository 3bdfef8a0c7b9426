#include <stele/projections/runner.hpp>

#include "for_store.hpp"
#include "hosted.hpp"
#include "listeners/listener_host.hpp"
#include "models_folder.hpp"
#include "same_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>

namespace stele {
namespace {

using namespace std::chrono_literals;

// How often the thread of a sync projection that is in step looks for appends of other processes: those of its own
// process need no thread.
constexpr auto sync_looks_every = 20ms;
// How often somebody who waits for a projection of another owner looks at its file.
constexpr auto waiter_looks_every = 10ms;

std::string label_of(const RunnerOptions& options) {
    return options.label.empty() ? "process " + std::to_string(::getpid()) : options.label;
}

// What clocks can add. Who says milliseconds::max() means: as long as it takes.
constexpr std::chrono::milliseconds longest_time = std::chrono::hours{24 * 365};

std::chrono::steady_clock::time_point deadline_behind(std::chrono::milliseconds timeout) {
    return std::chrono::steady_clock::now() + std::clamp(timeout, 0ms, longest_time);
}

RunnerOptions bounded(RunnerOptions options) {
    for (auto* const time :
         {&options.takeover_after, &options.look_every, &options.sync_wait, &options.grace, &options.stop_within}) {
        *time = std::min(*time, longest_time);
    }
    return options;
}

bool is_settled(const Hosted::Place& place) {
    using Phase = Hosted::Phase;
    return place.in_step || place.phase == Phase::paused || place.phase == Phase::failed ||
           place.phase == Phase::superseded;
}

// What there is to say of a projection that this runner does not follow just now. Its file knows better than we do
// whether it is paused or has failed: somebody else may have changed that a moment ago.
std::optional<WaitResult> result_by_file(const LiveModel& model, const Projection& projection,
                                         const Hosted::Place& place, Position position, const EventStore& store) {
    try {
        const auto generation = model.generation();
        const bool is_ours =
            generation.fingerprint == projection.fingerprint() && generation.version == projection.version();
        if (is_ours && generation.position >= position) return WaitResult::reached;
        if (generation.state == "paused") return WaitResult::paused;
        if (is_ours && generation.state == "failed") return WaitResult::failed;
        if (is_ours) return std::nullopt;
        const bool is_later = generation.version > projection.version() && !not_of_this_log(store, generation);
        if (is_later || place.phase == Hosted::Phase::superseded) return WaitResult::superseded;
    } catch (const NotFound&) {
        if (place.phase == Hosted::Phase::paused) return WaitResult::paused;
    }
    if (place.phase == Hosted::Phase::failed) return WaitResult::failed;  // what failed is the build
    return std::nullopt;
}

}  // namespace

bool listeners_are_on() {
    const char* word = std::getenv("STELE_LISTENERS");
    if (word == nullptr) return true;
    // In any case: who writes OFF must not find out by what was sent.
    std::string said{word};
    for (char& c : said)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return said != "off" && said != "0" && said != "no" && said != "false";
}

struct Runner::State {
    State(EventStore& opened, Options given) : store(opened), options(bounded(std::move(given))) {}

    EventStore& store;
    const Options options;
    ProjectionRegistry registry;
    ListenerRegistry listeners;
    std::mutex news_mutex;  ///< guards what follows
    std::deque<RunnerNews> untold;
    bool is_telling = false;

    /// What is there between start() and stop(), or from the first step() on.
    struct Working {
        ControlDb control;
        Member member;
        Leases leases;
        // Each build has a cache of its own and fills a core.
        std::counting_semaphore<> builds{std::max<std::ptrdiff_t>(1, std::thread::hardware_concurrency())};
        std::map<std::string, std::shared_ptr<Hosted>, std::less<>> hosted;
        std::vector<std::shared_ptr<Hosted>> turns;  ///< the same, in the order that step() goes round in
        std::size_t next_turn = 0;
        std::stop_source stop;
        std::vector<std::thread> threads;
        bool is_started = false;
        CommitHook hook;
        std::unique_ptr<ListenerHost> listeners;  ///< null where there are none, or they are switched off

        explicit Working(State& state)
            : control(state.store.models_folder().parent_path(), state.options.sqlite_vfs),
              member(control.folder(), label_of(state.options)),
              leases(control, member) {
            const RunnerContext context{
                state.store, state.options, control, member, leases, builds, [&state](RunnerNews news) {
                    state.keep(std::move(news));
                }};
            for (const auto& projection : state.registry.all()) {
                turns.push_back(std::make_shared<Hosted>(context, projection));
                hosted.emplace(projection->name(), turns.back());
            }
            if (!state.listeners.empty() && state.options.listeners_enabled) {
                listeners = std::make_unique<ListenerHost>(
                    state.store, state.options, control, member, leases, state.listeners,
                    [&state](RunnerNews news) { state.keep(std::move(news)); }, [&state] { state.tell(); });
            }
        }
    };
    std::mutex at_work;        ///< held by start(), step() and stop(): none disturbs another; locked first
    mutable std::mutex mutex;  ///< guards what follows
    std::shared_ptr<Working> working;

    void keep(RunnerNews news) {
        if (!options.news) return;
        const std::lock_guard lock{news_mutex};
        untold.push_back(std::move(news));
    }

    // Tells what is there to be told, unless somebody is at it, who tells that too. Called with no lock held: the
    // listener may append, and then waits for sync projections.
    void tell() {
        std::unique_lock lock{news_mutex};
        if (is_telling) return;
        is_telling = true;
        while (!untold.empty()) {
            const auto news = std::move(untold.front());
            untold.pop_front();
            lock.unlock();
            try {
                options.news(news);
            } catch (...) {
                // The projections go on, whatever is the matter with whoever wants to hear of them.
            }
            lock.lock();
        }
        is_telling = false;
    }

    [[nodiscard]] std::shared_ptr<Working> now_working() const {
        const std::lock_guard lock{mutex};
        return working;
    }

    // With `mutex` locked.
    void begin() {
        working = std::make_shared<Working>(*this);
        std::vector<std::shared_ptr<Hosted>> synced;
        for (const auto& [name, hosted] : working->hosted) {
            if (hosted->is_sync()) synced.push_back(hosted);
        }
        if (synced.empty()) return;
        working->hook = store.after_commit([synced = std::move(synced)](const Committed& committed) {
            for (const auto& hosted : synced) hosted->keep_in_step(committed);
        });
    }

    // Where the log cannot even be looked at, the next turn meets the same and tells it as trouble.
    void wait_for_news(Hosted& hosted, std::chrono::milliseconds most, const std::stop_token& stop) const {
        try {
            (void)store.wait_beyond(hosted.place().position, most, stop);
        } catch (const std::exception&) {
            hosted.sleep(options.look_every, stop);
        }
    }

    void follow(Hosted& hosted, const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const auto turn = hosted.turn(std::numeric_limits<std::size_t>::max(), stop);
            tell();
            if (turn.next == Hosted::Next::more) continue;
            if (turn.next == Hosted::Next::change) {
                hosted.sleep(turn.wait, stop);
            } else if (hosted.is_sync()) {
                hosted.sleep(std::min<std::chrono::milliseconds>(turn.wait, sync_looks_every), stop);
            } else {
                wait_for_news(hosted, turn.wait, stop);
            }
        }
    }
};

Runner::Runner(EventStore& store, Options options) : state_(std::make_unique<State>(store, std::move(options))) {}
Runner::~Runner() { stop(); }

void Runner::add(std::shared_ptr<const Projection> projection) {
    const std::lock_guard lock{state_->mutex};
    if (state_->working) {
        throw InvalidInput{"projection \"" + projection->name() + "\"", "a runner that has not begun",
                           "one that has; add projections before start() and step()"};
    }
    state_->registry.add(for_store(state_->store, std::move(projection)));
}

void Runner::add(const ProjectionRegistry& registry) {
    for (auto& projection : registry.all()) add(std::move(projection));
}

void Runner::add(std::shared_ptr<const Listener> listener) {
    const std::lock_guard lock{state_->mutex};
    if (state_->working) {
        throw InvalidInput{"listener \"" + listener->name() + "\"", "a runner that has not begun",
                           "one that has; add listeners before start() and step()"};
    }
    state_->listeners.add(std::move(listener));
}

void Runner::add(const ListenerRegistry& registry) {
    for (auto& listener : registry.all()) add(std::move(listener));
}

const ProjectionRegistry& Runner::registry() const noexcept { return state_->registry; }
const ListenerRegistry& Runner::listeners() const noexcept { return state_->listeners; }

void Runner::start() {
    std::shared_ptr<State::Working> working;
    {
        const std::lock_guard at_work{state_->at_work};
        const std::lock_guard lock{state_->mutex};
        if (!state_->working) state_->begin();
        working = state_->working;
        if (std::exchange(working->is_started, true)) return;
        if (working->listeners) working->listeners->start();
        for (const auto& [name, hosted] : working->hosted) {
            working->threads.emplace_back([state = state_.get(), &hosted = *hosted,
                                           stop = working->stop.get_token()] { state->follow(hosted, stop); });
        }
    }
    const auto deadline = std::chrono::steady_clock::now() + state_->options.sync_wait;
    for (const auto& entry : working->hosted) {
        const auto& hosted = entry.second;  // clang 14 captures no structured binding
        if (!hosted->is_sync()) continue;
        // Owned by another runner: then there is nothing to wait for.
        const auto owned_elsewhere = [&] {
            const auto holder = Leases::holder(working->control, "projection/" + hosted->projection().name());
            return holder && holder->owner != working->member.number() && working->member.sees(holder->owner);
        };
        auto place = hosted->place();
        while (!is_settled(place) && std::chrono::steady_clock::now() < deadline) {
            if (place.phase == Hosted::Phase::elsewhere && owned_elsewhere()) break;
            place = hosted->await(std::min(deadline, std::chrono::steady_clock::now() + 50ms), is_settled);
        }
    }
}

void Runner::stop() {
    const std::lock_guard at_work{state_->at_work};
    std::shared_ptr<State::Working> working;
    {
        const std::lock_guard lock{state_->mutex};
        working = state_->working;
    }
    if (!working) return;
    working->stop.request_stop();
    if (working->listeners) working->listeners->stop();
    for (auto& thread : working->threads) thread.join();
    working->hook.reset();
    for (const auto& [name, hosted] : working->hosted) hosted->close();
    state_->tell();
    const std::lock_guard lock{state_->mutex};
    state_->working.reset();
}

void Runner::run(const std::stop_token& stop) {
    start();
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait(lock, stop, [] { return false; });
    this->stop();
}

std::size_t Runner::step(std::size_t max, const std::stop_token& stop) {
    const std::lock_guard at_work{state_->at_work};
    std::shared_ptr<State::Working> working;
    {
        const std::lock_guard lock{state_->mutex};
        if (!state_->working) state_->begin();
        working = state_->working;
        if (working->is_started) {
            throw InvalidInput{"step()", "a runner without threads", "one that was started; stop() it first"};
        }
    }
    std::size_t taken = 0;
    for (bool more = true; more && taken < max && !stop.stop_requested();) {
        more = false;
        for (auto turns = working->turns.size(); turns > 0 && taken < max && !stop.stop_requested(); --turns) {
            // Where the last step had no more to give, this one goes on.
            const auto& hosted =
                working->turns[std::exchange(working->next_turn, (working->next_turn + 1) % working->turns.size())];
            const auto turn = hosted->turn(max - taken, stop);
            state_->tell();
            taken += turn.events;
            more = more || turn.next == Hosted::Next::more;
        }
        if (working->listeners && taken < max) {
            const auto done = working->listeners->step(max - taken, stop);
            taken += done;
            more = more || done > 0;
        }
    }
    if (taken < max) {
        for (const auto& [name, hosted] : working->hosted) hosted->settle();
    }
    return taken;
}

WaitResult Runner::wait_for(std::string_view name, Position position, std::chrono::milliseconds timeout) {
    const auto& projection = state_->registry.of(name);
    const auto deadline = deadline_behind(timeout);
    const LiveModel model{state_->store.models_folder(), name, state_->options.sqlite_vfs};
    const ModelsFolder models{state_->store.models_folder(), name};
    for (;;) {
        const auto working = state_->now_working();
        const auto hosted = working ? working->hosted.find(name)->second : nullptr;
        const auto place = hosted ? hosted->place() : Hosted::Place{};
        const bool follows = place.phase == Hosted::Phase::following;
        const bool is_on_its_way = follows && place.position < position;
        // Readers may have another generation already, which the projection's thread has not found yet.
        if (follows && !is_on_its_way && models.current() == place.generation) return WaitResult::reached;
        if (!is_on_its_way) {
            if (const auto result = result_by_file(model, projection, place, position, state_->store))
                return *result;
        }
        const auto time = std::chrono::steady_clock::now();
        if (time >= deadline) return WaitResult::timed_out;
        if (!hosted) {
            std::this_thread::sleep_for(
                std::min<std::chrono::steady_clock::duration>(waiter_looks_every, deadline - time));
        } else if (is_on_its_way) {
            hosted->await(deadline, [&](const Hosted::Place& now) {
                return now.phase != Hosted::Phase::following || now.position >= position;
            });
        } else {
            hosted->await(std::min(deadline, time + waiter_looks_every),
                          [&](const Hosted::Place& now) { return now.phase != place.phase; });
        }
    }
}

WaitResult Runner::wait_for_listener(std::string_view name, Position position, std::chrono::milliseconds timeout) {
    (void)state_->listeners.of(name);
    const auto working = state_->now_working();
    if (!working || !working->listeners) return WaitResult::timed_out;
    return working->listeners->wait_for(name, position, deadline_behind(timeout));
}

std::map<std::string, std::size_t> Runner::queue_depths() const {
    const auto working = state_->now_working();
    return working && working->listeners ? working->listeners->queue_depths()
                                         : std::map<std::string, std::size_t>{};
}

LiveModel Runner::model(std::string_view name) const {
    (void)state_->registry.of(name);
    return LiveModel{state_->store.models_folder(), name, state_->options.sqlite_vfs};
}

std::vector<ProjectionStatus> Runner::status() const {
    auto all = projection_status(state_->store, state_->registry);
    const auto working = state_->now_working();
    for (auto& status : all) {
        if (!working || !status.trouble.empty()) continue;
        const auto hosted = working->hosted.find(status.name);
        if (hosted != working->hosted.end()) status.trouble = hosted->second->trouble();
    }
    return all;
}

}  // namespace stele
