#include "failure.hpp"

#include "output.hpp"
#include "terminal.hpp"

#include <stele/store/append.hpp>

#include <unistd.h>

#include <new>

namespace stele::tool {
namespace {

struct Report {
    Exit status = Exit::failed;
    std::string code = "failed";
    std::string message;
    nlohmann::json facts = nlohmann::json::object();
    std::string next;
};

Exit status_of(const Error& error) {
    if (const auto* failure = dynamic_cast<const Failure*>(&error)) return failure->status();
    if (dynamic_cast<const Conflict*>(&error) != nullptr) return Exit::conflict;
    if (dynamic_cast<const IdConflict*>(&error) != nullptr) return Exit::conflict;
    if (error.code() == "not_found") return Exit::not_found;
    if (error.code() == "corrupt") return Exit::damage;
    return Exit::failed;
}

Report describe(const std::exception& error) {
    Report report;
    report.message = error.what();
    if (const auto* ours = dynamic_cast<const Error*>(&error)) {
        report.status = status_of(*ours);
        report.code = ours->code();
        report.facts = ours->facts();
        if (const auto* failure = dynamic_cast<const Failure*>(&error)) report.next = failure->next();
    } else if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
        report.code = "out_of_memory";
        report.message = "out of memory";
    }
    return report;
}

}  // namespace

Failure usage_failure(std::string_view command, const std::string& message) {
    return Failure{Exit::command_line, "command_line", std::string(command) + ": " + message}.hint(
        std::string(command) + " --help");
}

Exit report(const std::exception& error, bool json) {
    const Report report = describe(error);
    if (json) {
        nlohmann::ordered_json object{{"code", report.code}, {"message", report.message}};
        for (const auto& [name, value] : report.facts.items())
            if (!object.contains(name)) object[name] = value;
        if (!report.next.empty()) object["try"] = report.next;
        // A message may quote bytes of a broken file; they must not make the report itself invalid.
        note(nlohmann::ordered_json{{"error", object}}.dump(-1, ' ', false,
                                                            nlohmann::ordered_json::error_handler_t::replace));
    } else {
        note(printable(report.message));
        if (!report.next.empty()) note("try: " + printable(report.next));
    }
    return report.status;
}

}  // namespace stele::tool
