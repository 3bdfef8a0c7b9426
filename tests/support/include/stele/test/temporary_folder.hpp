// A folder of its own for each test, gone when the test is over.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace stele::test {

/// A new, empty folder, by default under the system's temporary folder, deleted with all that is in it when the
/// object goes.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
        std::string name = (parent / "stele-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), "making a folder " + name);
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;  // a folder that stays behind is no reason to fail a test
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// The process is in another folder while this is there.
class InFolder {
public:
    explicit InFolder(const std::filesystem::path& folder) { std::filesystem::current_path(folder); }
    ~InFolder() {
        std::error_code ignored;
        std::filesystem::current_path(before_, ignored);
    }
    InFolder(const InFolder&) = delete;
    InFolder& operator=(const InFolder&) = delete;

private:
    std::filesystem::path before_ = std::filesystem::current_path();
};

/// A parent for folders of many short-lived files that need no real disk: in memory, where there is such a place.
[[nodiscard]] inline std::filesystem::path memory() {
    const std::filesystem::path shared_memory = "/dev/shm";
    return ::access(shared_memory.c_str(), W_OK | X_OK) == 0 ? shared_memory
                                                             : std::filesystem::temp_directory_path();
}

}  // namespace stele::test
