#include "generation_build.hpp"

#include "background.hpp"
#include "precedence.hpp"
#include "same_log.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <thread>

namespace stele {
namespace {

namespace fs = std::filesystem;

// How long to ask for the old generation, before it is said that somebody has it locked.
constexpr std::chrono::seconds longest_wait{60};

bool is_busy(const sql::SqlError& error) {
    constexpr int primary = 0xff;
    return (error.result_code() & primary) == SQLITE_BUSY;
}

bool defines(const Projection& projection, const Generation& generation) {
    return generation.name == projection.name() && generation.version == projection.version() &&
           generation.fingerprint == projection.fingerprint();
}

std::optional<Generation> look_at(const fs::path& file, const std::string& sqlite_vfs) {
    try {
        return read_generation(open_database(file, Access::read, sqlite_vfs).get());
    } catch (const Error&) {
        return std::nullopt;
    }
}

enum class Found { resumable, useless, in_use };

// Whether what SQLite says of a file means that nothing can be made of it: it is none of ours, or damaged, or lacks
// what all of ours have. A disk or a lock that fails may be well again in a moment, and the file with it.
bool is_useless(const sql::SqlError& error) {
    constexpr int primary = 0xff;
    const auto code = error.result_code() & primary;
    return code == SQLITE_NOTADB || code == SQLITE_CORRUPT || !error.is_of_the_machine();
}

// Opens what a build left that died; into `file` where one can go on from it. Throws sql::SqlError where that
// cannot be told.
Found find_resumable(const fs::path& path, std::int64_t number, const EventStore& store,
                     const Projection& projection, Position most, const std::string& sqlite_vfs,
                     std::optional<GenerationFile>& file) {
    if (!fs::exists(path)) return Found::useless;  // something beside it is left
    try {
        file.emplace(GenerationFile::open_build(path, sqlite_vfs));
        const auto generation = file->generation();
        if (generation.kept || generation.state == "retired") {
            file.reset();
            return Found::in_use;
        }
        if (generation.number == number && defines(projection, generation) && generation.position <= most &&
            !not_of_this_log(store, generation)) {
            WriteTransaction transaction{file->db()};
            file->write_state("building");  // it may have been complete, but for the switch
            transaction.commit();
            return Found::resumable;
        }
        file.reset();
        return Found::useless;
    } catch (const sql::SqlError& error) {
        file.reset();
        if (is_busy(error)) return Found::in_use;
        if (!is_useless(error)) throw;
        return Found::useless;
    } catch (const InvalidInput&) {
        file.reset();
        return Found::useless;  // what it says of itself makes no sense
    }
}

}  // namespace

GenerationBuild::GenerationBuild(const EventStore& store, const Projection& projection,
                                 const RebuildOptions& options, std::optional<Position> until)
    : store_(store),
      projection_(projection),
      options_(options),
      until_(until),
      models_(store.models_folder(), projection.name()),
      lock_(models_) {
    try {
        begin();
    } catch (...) {
        file_.reset();
        if (is_new_) models_.discard(number_);
        throw;
    }
}

void GenerationBuild::begin() {
    old_ = models_.current();
    models_.clean(true, options_.sqlite_vfs);
    if (old_) old_at_first_ = look_at(models_.file(*old_), options_.sqlite_vfs);

    auto last = std::max(old_.value_or(0), lock_.highest_number());
    for (const auto number : models_.generations()) {
        if (number <= old_.value_or(0)) continue;
        std::optional<GenerationFile> left;
        const auto found = find_resumable(models_.file(number), number, store_, projection_,
                                          until_.value_or(store_.head()), options_.sqlite_vfs, left);
        if (found == Found::resumable && file_) {
            // Two that could be gone on from: the later one, which somebody began later, is of more use.
            file_.reset();
            models_.discard(std::exchange(number_, 0));
        }
        if (found == Found::resumable) {
            file_ = std::move(left);
            number_ = number;
        }
        if (found == Found::useless) models_.discard(number);
        if (found == Found::in_use) last = std::max(last, number);
    }
    if (!file_) {
        number_ = last + 1;
        is_new_ = true;
        file_.emplace(GenerationFile::create(models_.file(number_), projection_, number_, options_.sqlite_vfs));
    }
    discards_ = is_new_;
    begins_at_ = file_->generation().position;
    model_ = std::make_unique<Model>(file_->db(), projection_.name());
    model_->seal();
}

GenerationBuild::~GenerationBuild() {
    model_.reset();
    file_.reset();
    if (discards_) models_.discard(number_);
}

// Folds until it is at `target`, which may move on meanwhile.
bool GenerationBuild::fold(const std::stop_token& stop, const Progress& progress,
                           const std::function<Position()>& target) {
    // Of what is folded in memory, a transaction writes each state once, however many events it had.
    const auto batch = options_.batch * (projection_.folds_in_memory() ? 4 : 1);
    const auto before = events_;
    const auto told = [&](const FoldProgress& fold) {
        if (progress) progress({fold.position, fold.target, before + fold.events});
    };
    Fold fold{store_,
              projection_,
              *file_,
              *model_,
              {.state = "building", .batch = batch, .progress = told, .stop = stop, .reads_ahead = true}};
    for (auto next = target(); fold.position() < next; next = target()) {
        fold.run(next);
        if (fold.stopped()) return false;
        if (fold.outcome() != Advance::done) {
            throw ProjectionError{"projection_file", projection_.name(),
                                  file_->path().string() + ": expected to be the only one that knows it, found " +
                                      file_->generation().state + ": somebody else has changed it; rebuild it"};
        }
    }
    events_ += fold.events();
    return true;
}

bool GenerationBuild::run(const Progress& progress) {
    const auto target = [&] { return until_.value_or(store_.head()); };
    // In rounds, each up to where the log ends when it begins. They make way as long as each has at most half as
    // much to fold as the one before; or else who appends without a rest might stay ahead for good.
    auto there = file_->generation().position;
    auto most = std::numeric_limits<std::int64_t>::max();
    for (auto next = target(); there < next && next.value() - there.value() <= most; next = target()) {
        bool is_there = false;
        in_background(options_.niceness, [&] { is_there = fold(options_.stop, progress, [&] { return next; }); });
        if (!is_there) return false;
        most = (next.value() - there.value()) / 2;
        there = next;
    }
    return fold(options_.stop, progress, target);
}

// The old generation, open for writing; empty where there is none, or it is damaged beyond that.
std::optional<GenerationFile> GenerationBuild::open_old() const {
    if (!old_ || !fs::exists(models_.file(*old_))) return std::nullopt;
    try {
        return GenerationFile::open(models_.file(*old_), options_.sqlite_vfs);
    } catch (const sql::SqlError& error) {
        if (!is_useless(error)) throw;
        return std::nullopt;
    }
}

// Takes the write lock of the old generation. Who advances it may be at an event that takes long. False where a
// stop was requested first.
bool GenerationBuild::hold(sqlite3* db, std::optional<WriteTransaction>& holding) const {
    const auto give_up = std::chrono::steady_clock::now() + longest_wait;
    while (!options_.stop.stop_requested()) {
        try {
            holding.emplace(db);
            return true;
        } catch (const sql::SqlError& error) {
            if (!is_busy(error) || std::chrono::steady_clock::now() >= give_up) throw;
        }
    }
    return false;
}

std::optional<Rebuilt> GenerationBuild::adopt(const Progress& progress, std::int64_t token) {
    // Most of it gets into the file while others still advance the old generation, and what they do meanwhile too.
    file_->checkpoint();
    if (!fold(options_.stop, progress, [&] { return until_.value_or(store_.head()); })) return std::nullopt;
    file_->checkpoint();

    auto old = open_old();
    if (old && !options_.keep_old) old->forgo_durability();  // it is written to when the switch is on disk
    const Precedence first{models_};
    std::optional<WriteTransaction> holding;
    if (old && options_.keep_old) {
        if (!hold(old->db(), holding)) return std::nullopt;
        old->write_kept(true);  // now, so that it is kept even if we are killed once the link has changed
        holding->commit();
        holding.reset();
    }
    std::optional<Generation> before;
    if (old) {
        if (!hold(old->db(), holding)) return std::nullopt;  // nobody advances the old generation from here on
        before = old->generation();
    }
    file_->claim(std::max({token, file_->token(), before ? before->token : 0}));
    if (before && !until_) {
        // A log that was restored may be shorter than the old generation is far.
        const auto target = std::min(before->position, store_.head());
        (void)fold({}, progress, [&] { return target; });
    }
    // Whoever paused the old one meanwhile, while it was read, has meant the projection.
    const bool was_paused_meanwhile = before && before->state == "paused" && old_at_first_ &&
                                      (old_at_first_->state != "paused" || old_at_first_->since != before->since);
    {
        WriteTransaction transaction{file_->db()};
        file_->write_state(until_ || was_paused_meanwhile ? "paused" : "live");
        transaction.commit();
    }
    const Rebuilt rebuilt{file_->generation(), events_, begins_at_};
    model_.reset();
    std::move(*file_).finish();  // it is on disk before the link is
    file_.reset();
    lock_.remember_number(number_);
    // From here on the link may lead to the file, whatever fails: it is not ours to remove any more.
    discards_ = false;
    models_.switch_to(number_);
    if (old) {
        old->write_state("retired");
        old->write_kept(options_.keep_old);
        holding->commit();
        holding.reset();
        old.reset();
    }
    if (old_) std::this_thread::sleep_for(options_.grace);
    models_.clean(options_.keep_old, options_.sqlite_vfs);
    return rebuilt;
}

std::optional<Rebuilt> build_into_file(const EventStore& store, const Projection& projection,
                                       const RebuildOptions& options, Position until) {
    const auto& target = *options.into;
    const fs::path path = target.string() + ".new";
    const auto found_there = [&](const fs::path& file) {
        return InvalidInput{"into", "a file that is not there yet", file.string()};
    };
    if (fs::exists(fs::symlink_status(target))) throw found_there(target);
    if (fs::exists(fs::symlink_status(path))) {
        // Of a build that died, or that is under way, or nothing of ours.
        try {
            const auto left = GenerationFile::open_build(path, options.sqlite_vfs);
            if (left.generation().state != "building" && left.generation().state != "failed")
                throw found_there(path);
        } catch (const sql::SqlError& error) {
            if (!is_busy(error)) throw found_there(path);
            throw ProjectionError{"projection_busy", projection.name(),
                                  "expected to be the only one to build " + target.string() + ", found " +
                                      path.string() + " in use; try again when the other is done"};
        }
        remove_database(path);
    }

    struct Discard {
        const fs::path& path;
        bool wanted = true;
        ~Discard() {
            if (wanted) remove_database(path);
        }
    } discard{path};
    auto file = GenerationFile::create(path, projection, 1, options.sqlite_vfs);
    std::int64_t events = 0;
    {
        Model model{file.db(), projection.name()};
        model.seal();
        Fold fold{store, projection, file, model, {"building", options.batch, options.progress, options.stop}};
        in_background(options.niceness, [&] { fold.run(until); });
        if (fold.stopped() && fold.position() < until) return std::nullopt;
        events = fold.events();
        WriteTransaction transaction{file.db()};
        file.write_state("paused");
        transaction.commit();
    }
    const auto generation = file.generation();
    std::move(file).finish();
    make_plain(path, options.sqlite_vfs);
    if (!rename_if_absent(path, target)) throw found_there(target);
    discard.wanted = false;
    return Rebuilt{generation, events, Position{0}};
}

}  // namespace stele
