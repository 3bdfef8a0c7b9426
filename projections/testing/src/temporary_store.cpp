#include <stele/testing/temporary_store.hpp>

#include <cstdlib>
#include <system_error>
#include <utility>

namespace stele::testing {
namespace {

std::filesystem::path new_folder() {
    auto name = (std::filesystem::temp_directory_path() / "stele-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::system_error{errno, std::generic_category(), "making a folder " + name};
    return name;
}

}  // namespace

Options TemporaryStore::relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    return options;
}

TemporaryStore::TemporaryStore(Options options) : folder_(new_folder()), options_(std::move(options)) {
    options_.clock = clock_;
    store_.emplace(EventStore::open(path(), options_));
}

TemporaryStore::~TemporaryStore() {
    store_.reset();
    std::error_code ignored;  // a folder that stays behind is no reason to fail a test
    std::filesystem::remove_all(folder_, ignored);
}

void TemporaryStore::reopen() {
    store_.reset();
    store_.emplace(EventStore::open(path(), options_));
}

}  // namespace stele::testing
