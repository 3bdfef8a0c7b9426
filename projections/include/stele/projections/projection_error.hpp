// What goes wrong with projections.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include <string>
#include <string_view>

namespace stele {

/// A handler could not take an event in. The read model is as it was before that event: its position is the one
/// before, and what came before is kept (P1).
///
/// what() reads `projection "daily-totals": position 90112, OrderPaid v2: projections/daily.sql:12: <reason>;
/// halted at 90111`.
class HandlerFailed : public Error {
public:
    /// `place` is the file and line of the statement; empty where the handler is not SQL.
    HandlerFailed(std::string projection, const Event& event, std::string place, std::string reason);

    [[nodiscard]] const std::string& projection() const noexcept { return projection_; }
    [[nodiscard]] Position position() const noexcept { return position_; }
    [[nodiscard]] const std::string& type() const noexcept { return type_; }
    [[nodiscard]] const std::string& place() const noexcept { return place_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

private:
    std::string projection_;
    Position position_;
    std::string type_;
    std::string place_;
    std::string reason_;
};

/// A read model could not be built, advanced or opened, for a reason other than an event.
///
/// code()  "projection_busy"     another process, or another thread, is building or advancing it
///         "projection_fenced"   somebody else has taken it over: whoever gets this advances it no more
///         "projection_changed"  its definition is not the one that the read model was built with: rebuild it
///         "projection_ahead"    the read model is further than the log: the log lost events; rebuild it
///         "projection_log"      it was folded from another log, or from this one before a restore: rebuild it
///         "projection_setup"    its tables cannot be set up: its own statements fail; correct them
///         "projection_file"     a file of it is damaged, or the disk failed
class ProjectionError : public Error {
public:
    ProjectionError(std::string code, const std::string& projection, const std::string& message,
                    nlohmann::json facts = nlohmann::json::object());

    [[nodiscard]] const std::string& projection() const noexcept { return projection_; }

private:
    std::string projection_;
};

}  // namespace stele
