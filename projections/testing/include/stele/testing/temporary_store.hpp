// TemporaryStore: a store in a folder of its own, gone with the test.
#pragma once

#include <stele/store/event_store.hpp>
#include <stele/testing/clock.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::testing {

/// Its events are recorded by a clock that the test holds. Appends do not wait for the disk (Durability::relaxed).
class TemporaryStore {
public:
    explicit TemporaryStore(Options options = relaxed());
    ~TemporaryStore();
    TemporaryStore(const TemporaryStore&) = delete;
    TemporaryStore& operator=(const TemporaryStore&) = delete;

    [[nodiscard]] EventStore& operator*() noexcept { return *store_; }
    [[nodiscard]] EventStore* operator->() noexcept { return &*store_; }
    operator EventStore&() noexcept { return *store_; }  // NOLINT(google-explicit-constructor): it stands for one

    [[nodiscard]] FakeClock& clock() noexcept { return clock_; }
    /// The folder around the store's own, for files of the test.
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    /// The store's own folder, to be opened by others too.
    [[nodiscard]] std::string path() const { return (folder_ / "test.stele").string(); }

    /// Closes the store and opens it again, as a program that is started anew does.
    void reopen();

private:
    static Options relaxed();

    FakeClock clock_;
    std::filesystem::path folder_;
    Options options_;
    std::optional<EventStore> store_;
};

}  // namespace stele::testing
