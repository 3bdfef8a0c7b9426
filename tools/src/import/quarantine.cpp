#include "quarantine.hpp"

#include "../failure.hpp"
#include "../output.hpp"

#include <cerrno>
#include <cstring>

namespace stele::tool {
namespace {

Failure failed(const std::string& path) {
    return Failure{Exit::failed, "output", path + ": " + std::strerror(errno), {{"file", path}}};
}

}  // namespace

Quarantine::Quarantine(std::string path) : path_(std::move(path)), file_(File::append_to(path_)) {
    if (!file_.is_open() || !sync_folder_of(path_)) throw failed(path_);
}

void Quarantine::add(std::string_view line) {
    pending_ += line;
    if (line.empty() || line.back() != '\n') pending_ += '\n';
}

void Quarantine::sync() {
    if (pending_.empty()) return;
    if (!write_all(file_.fd(), pending_) || !file_.sync()) throw failed(path_);
    pending_.clear();
}

}  // namespace stele::tool
