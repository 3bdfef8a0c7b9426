#include <stele/projections/live_model.hpp>

#include "database.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"

#include <stele/schema/sql/compiler.hpp>
#include <stele/store/event_store.hpp>

#include <sqlite3.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace stele {
namespace {

/// A generation's file. Its name is not enough: after a drop, numbers begin at 1 again.
struct FileIdentity {
    std::int64_t generation = 0;
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;

    static FileIdentity of(const ModelsFolder& models, std::int64_t generation) {
        struct stat found {};
        if (::stat(models.file(generation).c_str(), &found) != 0) return {};
        return {generation, found.st_dev, found.st_ino};
    }
};

/// A connection on one generation, for one query at a time, with the statements it has compiled.
struct Connection {
    FileIdentity file;
    Database db;
    sql::Compiler compiler;
    std::map<std::string, sql::Statement, std::less<>> statements;

    static constexpr std::size_t most_statements = 100;

    Connection(const FileIdentity& identity, Database opened)
        : file(identity), db(std::move(opened)), compiler(db.get(), sql::Compiler::Kind::reader) {}

    /// The statement leaves the cache while it is in use.
    sql::Statement take(std::string_view sql) {
        const auto known = statements.find(sql);
        if (known == statements.end()) return compiler.statement({std::string{sql}, "query", 1}, sql::Allow::query);
        auto statement = std::move(known->second);
        statements.erase(known);
        return statement;
    }
    void give_back(std::string sql, sql::Statement statement) {
        statement.reset();
        sqlite3_clear_bindings(statement.get());
        if (statements.size() >= most_statements) statements.clear();
        statements.insert_or_assign(std::move(sql), std::move(statement));
    }
};

}  // namespace

struct LiveModel::State {
    State(std::filesystem::path folder, std::string_view name, std::string vfs)
        : models(std::move(folder), name), sqlite_vfs(std::move(vfs)) {}

    ModelsFolder models;
    std::string sqlite_vfs;
    std::mutex mutex;  ///< guards what follows
    std::vector<std::unique_ptr<Connection>> idle;
    FileIdentity file;  ///< of those that are idle

    /// A connection on the current generation. It is opened by the number that the link shows, and not by the link:
    /// SQLite would look where the link leads, and open that a moment later.
    std::unique_ptr<Connection> borrow() {
        for (auto current = models.current(); current;) {
            const auto identity = FileIdentity::of(models, *current);
            if (auto known = take_idle(identity)) return known;
            try {
                auto db = open_database(models.file(*current), Access::read, sqlite_vfs);
                (void)read_generation(db.get());
                return std::make_unique<Connection>(identity, std::move(db));
            } catch (const sql::SqlError&) {
                // A rebuild that ended just now took the file away; then the link leads elsewhere.
                const auto next = models.current();
                if (next == current) throw;
                current = next;
            }
        }
        throw never_built(models.name());
    }

    std::unique_ptr<Connection> take_idle(const FileIdentity& current) {
        std::vector<std::unique_ptr<Connection>> outdated;  // closed without the lock
        const std::lock_guard lock{mutex};
        if (!(file == current)) outdated.swap(idle);
        file = current;
        if (idle.empty()) return nullptr;
        auto found = std::move(idle.back());
        idle.pop_back();
        return found;
    }

    void give_back(std::unique_ptr<Connection> connection) {
        const std::lock_guard lock{mutex};
        if (connection->file == file) idle.push_back(std::move(connection));
    }
};

namespace {

/// What the Rows of one answer keep: the statement, and the connection that it belongs to.
template <class State>
class Borrowed {
public:
    Borrowed(std::shared_ptr<State> state, std::string_view sql)
        : state_(std::move(state)), connection_(state_->borrow()), sql_(sql), statement(connection_->take(sql)) {}
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    ~Borrowed() {
        try {
            connection_->give_back(std::move(sql_), std::move(statement));
            state_->give_back(std::move(connection_));
        } catch (const std::bad_alloc&) {
            // Then it is closed.
        }
    }

private:
    std::shared_ptr<State> state_;
    std::unique_ptr<Connection> connection_;
    std::string sql_;

public:
    sql::Statement statement;
};

}  // namespace

LiveModel::LiveModel(const EventStore& store, std::string_view name) : LiveModel(store.models_folder(), name) {}

LiveModel::LiveModel(const std::filesystem::path& models, std::string_view name, const std::string& sqlite_vfs)
    : state_(std::make_shared<State>(models, name, sqlite_vfs)) {}

Rows LiveModel::select(std::string_view sql, std::span<const detail::Argument> arguments) const {
    return naming(state_->models.name(), [&] {
        const auto borrowed = std::make_shared<Borrowed<State>>(state_, sql);
        auto& statement = borrowed->statement;
        if (static_cast<std::size_t>(statement.parameters()) != arguments.size()) {
            throw sql::DefinitionError{"query", 1, std::to_string(statement.parameters()) + " arguments",
                                       std::to_string(arguments.size()), std::string{sql}};
        }
        int parameter = 0;
        for (const auto& argument : arguments) argument.bind_copy(statement, ++parameter);
        return Rows{std::shared_ptr<sql::Statement>{borrowed, &statement}};
    });
}

Generation LiveModel::generation() const {
    return naming(state_->models.name(), [&] {
        auto connection = state_->borrow();
        auto found = read_generation(connection->db.get());
        state_->give_back(std::move(connection));
        return found;
    });
}

}  // namespace stele
