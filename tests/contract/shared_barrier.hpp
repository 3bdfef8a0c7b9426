// A barrier that processes meet at.
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>
#include <system_error>

namespace stele::test {

/// A POSIX barrier in a file that every participant maps.
class SharedBarrier {
public:
    /// Makes `file` with a barrier for `parties`. Must be there before others join, and stay until they have gone.
    SharedBarrier(const std::string& file, unsigned parties) : barrier_(map(file, O_RDWR | O_CREAT | O_EXCL)) {
        pthread_barrierattr_t attributes;
        pthread_barrierattr_init(&attributes);
        pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_barrier_init(barrier_, &attributes, parties);
        pthread_barrierattr_destroy(&attributes);
    }
    /// Joins the one that another process made.
    explicit SharedBarrier(const std::string& file) : barrier_(map(file, O_RDWR)) {}
    ~SharedBarrier() { ::munmap(barrier_, sizeof *barrier_); }
    SharedBarrier(const SharedBarrier&) = delete;
    SharedBarrier& operator=(const SharedBarrier&) = delete;

    /// Returns when all have called it.
    void wait() { pthread_barrier_wait(barrier_); }

private:
    static pthread_barrier_t* map(const std::string& file, int flags) {
        const int fd = ::open(file.c_str(), flags | O_CLOEXEC, 0600);
        if (fd < 0) throw std::system_error(errno, std::generic_category(), file);
        const bool sized = ::ftruncate(fd, sizeof(pthread_barrier_t)) == 0;
        void* memory = ::mmap(nullptr, sizeof(pthread_barrier_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        if (!sized || memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), file);
        return static_cast<pthread_barrier_t*>(memory);
    }

    pthread_barrier_t* barrier_;
};

}  // namespace stele::test
