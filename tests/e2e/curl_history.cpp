#include "curl_history.hpp"

#include <stele/test/catch.hpp>

#include <zlib.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace stele::test {
namespace {

namespace fs = std::filesystem;

// The lines of a file, compressed or not.
std::vector<std::string> lines_of(const fs::path& path) {
    gzFile file = ::gzopen(path.c_str(), "rb");
    INFO(path);
    REQUIRE(file != nullptr);
    std::string text;
    std::array<char, 65'536> chunk{};
    for (int n = 0; (n = ::gzread(file, chunk.data(), chunk.size())) > 0;)
        text.append(chunk.data(), static_cast<std::size_t>(n));
    ::gzclose(file);
    std::vector<std::string> lines;
    std::istringstream all{text};
    for (std::string line; std::getline(all, line);) lines.push_back(std::move(line));
    return lines;
}

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream text{line};
    for (std::string cell; std::getline(text, cell, '\t');) cells.push_back(std::move(cell));
    return cells;
}

std::string file_row(const std::string& path, const std::string& mode, const std::string& blob,
                     const std::string& lines) {
    return path + "," + mode + "," + blob + "," + (lines == "-" ? "" : lines);
}

// checkpoints.tsv: repo, checkpoint, line, commit, files. curl-N.tsv: mode, blob, lines, path.
CurlHistory whole(const fs::path& folder) {
    CurlHistory history;
    history.lines = lines_of(folder / "curl-history.jsonl.gz");
    for (const auto& line : lines_of(folder / "expected/checkpoints.tsv")) {
        const auto cells = cells_of(line);
        if (cells.at(0) != "curl") continue;
        CurlHistory::Checkpoint checkpoint{std::stoll(cells.at(2)), {}};
        for (const auto& row : lines_of(folder / ("expected/curl-" + cells.at(1) + ".tsv"))) {
            const auto file = cells_of(row);
            checkpoint.files.insert(file_row(file.at(3), file.at(0), file.at(1), file.at(2)));
        }
        history.checkpoints.push_back(std::move(checkpoint));
    }
    return history;
}

// curl-files.expected.tsv: checkpoint, path, version, mode, blob, lines. A checkpoint's position is that of the
// last of the versions.
CurlHistory of_five_files(const fs::path& folder) {
    CurlHistory history;
    history.lines = lines_of(folder / "curl-files.jsonl");
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> positions;
    std::map<std::string, std::int64_t> versions;
    for (std::size_t i = 0; i < history.lines.size(); ++i) {
        const auto path = nlohmann::json::parse(history.lines[i]).at("aggregate_id").get<std::string>();
        positions[{path, ++versions[path]}] = static_cast<std::int64_t>(i) + 1;
    }
    std::map<std::string, CurlHistory::Checkpoint> checkpoints;
    for (const auto& line : lines_of(folder / "curl-files.expected.tsv")) {
        const auto cells = cells_of(line);
        if (cells.at(0) == "checkpoint") continue;
        auto& checkpoint = checkpoints[cells.at(0)];
        const auto position = positions.at({cells.at(1), std::stoll(cells.at(2))});
        checkpoint.position = std::max(checkpoint.position, position);
        if (cells.at(3) != "-")
            checkpoint.files.insert(file_row(cells.at(1), cells.at(3), cells.at(4), cells.at(5)));
    }
    for (auto& [name, checkpoint] : checkpoints) history.checkpoints.push_back(std::move(checkpoint));
    return history;
}

}  // namespace

CurlHistory curl_history() {
    const char* elsewhere = std::getenv("STELE_SHARED_DATA");
    const fs::path shared = elsewhere != nullptr ? fs::path{elsewhere} : fs::path{STELE_SOURCES} / "../shared/data";
    if (fs::exists(shared / "history/curl-history.jsonl.gz")) return whole(shared / "history");
    return of_five_files(fs::path{STELE_SOURCES} / "tests/replay/data");
}

}  // namespace stele::test
