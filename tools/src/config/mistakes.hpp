// Mistakes: what is wrong with stele.toml, each with its place, all of them and not the first alone.
#pragma once

#include "../failure.hpp"

#include <string>
#include <vector>

namespace stele::tool {

/// Where something stands in a file. Both count from 1.
struct Place {
    int line = 1;
    int column = 1;
};

/// `file`:line:column: message
struct Mistake {
    std::string file;
    Place place;
    std::string message;

    [[nodiscard]] std::string text() const;
    /// As a command ends that needs what is wrong here: exit status failed, code "project".
    [[nodiscard]] Failure failure() const;
};

class Mistakes {
public:
    explicit Mistakes(std::string file) : file_(std::move(file)) {}

    void add(Place place, std::string message) { all_.push_back({file_, place, std::move(message)}); }
    /// Nothing is wrong, and yet it is probably not what was meant.
    void hint(Place place, std::string message) { hints_.push_back({file_, place, std::move(message)}); }

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }
    /// In the order of the file.
    [[nodiscard]] std::vector<Mistake> all() const;
    [[nodiscard]] std::vector<Mistake> hints() const;
    /// Throws the first one as a Failure, where there is one.
    void throw_first() const;

private:
    std::string file_;
    std::vector<Mistake> all_;
    std::vector<Mistake> hints_;
};

}  // namespace stele::tool
