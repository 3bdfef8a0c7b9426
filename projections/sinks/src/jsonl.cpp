#include <stele/sinks/jsonl.hpp>

#include "settings.hpp"
#include "text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace stele::sinks {
namespace {

using namespace std::chrono_literals;

class File {
public:
    explicit File(int fd = -1) noexcept : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

struct Unlock {
    int fd;
    ~Unlock() { ::flock(fd, LOCK_UN); }
};

class JsonlHandler final : public ListenerHandler {
public:
    explicit JsonlHandler(Jsonl settings) : path_(std::move(settings.path)) {}

    void deliver(const Event& event, const Delivery& delivery) override {
        const auto line = event_line_with(event, {{"delivery_key", delivery.key()}}) + "\n";
        open_current(delivery.stop());
        {
            const Unlock unlock{file_.get()};
            repair();
            append(line);
        }
        // Others may write meanwhile: what is synced is our line and whatever came with it.
        if (::fdatasync(file_.get()) != 0) fail("syncing it");
    }

private:
    [[noreturn]] void fail(const char* doing, int error = errno) const {
        throw DeliveryFailed{
            "file", path_.string() + ": " + doing + ": " + std::strerror(error), {{"path", path_.string()}}};
    }

    // Leaves the file that has the name now open and locked.
    void open_current(const std::stop_token& stop) {
        for (;;) {
            const bool opened_now = !file_.is_open();
            if (opened_now) open();
            lock(stop);
            struct stat ours {};
            struct stat named {};
            if (::fstat(file_.get(), &ours) != 0) {
                const int error = errno;
                file_ = File{};
                fail("looking at it", error);
            }
            const bool is_there = ::stat(path_.c_str(), &named) == 0;
            if (is_there && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) {
                size_ = ours.st_size;
                return;
            }
            file_ = File{};  // it was moved away; closing it unlocks it
        }
    }

    void open() {
        constexpr mode_t for_owner_and_group = 0640;
        file_ = File{::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC)};
        if (file_.is_open()) return;
        if (errno != ENOENT) fail("opening it");
        file_ = File{::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, for_owner_and_group)};
        if (!file_.is_open()) fail("making it");
        // A name that a power cut takes back would take the lines with it.
        const auto parent = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
        const File folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (!folder.is_open() || ::fsync(folder.get()) != 0) fail("syncing its folder");
    }

    void lock(const std::stop_token& stop) const {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) fail("locking it");
            if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline)
                fail("waiting for others to let go of its lock", ETIMEDOUT);
            std::this_thread::sleep_for(500us);
        }
    }

    [[nodiscard]] std::string tail(off_t from, std::size_t count) const {
        std::string bytes(count, '\0');
        std::size_t done = 0;
        while (done < count) {
            const auto n = ::pread(file_.get(), bytes.data() + done, count - done, from + static_cast<off_t>(done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail("reading it");
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        bytes.resize(done);
        return bytes;
    }

    // Where the file does not end in a line feed, whoever wrote last has died at it, as we have the lock.
    void repair() {
        if (size_ == 0 || tail(size_ - 1, 1) == "\n") return;
        const off_t begins = begin_of_last_line();
        const auto last = tail(begins, static_cast<std::size_t>(size_ - begins));
        if (nlohmann::json::accept(last)) {
            append("\n");
        } else if (::ftruncate(file_.get(), begins) != 0) {
            fail("cutting off a torn line");
        } else {
            size_ = begins;
        }
    }

    [[nodiscard]] off_t begin_of_last_line() const {
        constexpr off_t step = 64 * 1024;
        for (off_t end = size_; end > 0;) {
            const off_t from = end > step ? end - step : 0;
            const auto feed = tail(from, static_cast<std::size_t>(end - from)).rfind('\n');
            if (feed != std::string::npos) return from + static_cast<off_t>(feed) + 1;
            end = from;
        }
        return 0;
    }

    void append(std::string_view text) {
        const auto whole = text;
        while (!text.empty()) {
            const auto n = ::write(file_.get(), text.data(), text.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) {
                const int error = errno;
                (void)!::ftruncate(file_.get(), size_);  // else the next one repairs it
                fail("appending to it", error);
            }
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        size_ += static_cast<off_t>(whole.size());
    }

    const std::filesystem::path path_;
    File file_;
    off_t size_ = 0;  ///< while it is locked
};

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Jsonl& settings, const Rules& rules) {
    rules.expect(!settings.path.empty(), "path", "a file", "none");
    return workshop_for<JsonlHandler>(settings);
}

}  // namespace stele::sinks
