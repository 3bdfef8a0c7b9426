// The history of curl's sources as events, and what its files were at four commits: all of it where the data stands
// beside this repository (../shared/data, or the folder that STELE_SHARED_DATA names), else that of five files.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace stele::test {

struct CurlHistory {
    struct Checkpoint {
        std::int64_t position = 0;    ///< of the commit's last event
        std::set<std::string> files;  ///< "PATH,MODE,BLOB,LINES", where a binary file has no lines
    };
    std::vector<std::string> lines;  ///< to import
    std::vector<Checkpoint> checkpoints;
};

[[nodiscard]] CurlHistory curl_history();

}  // namespace stele::test
