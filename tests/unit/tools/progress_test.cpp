// The line that shows how far a command is.
#include "progress.hpp"

#include <stele/test/catch.hpp>

using stele::tool::Progress;

TEST_CASE("progress shows percent, bar, count, rate and time left", "[tools][progress]") {
    CHECK(Progress::line("import", "lines", 31'567, 42, 100, 2, 100) ==
          "import   42% [########            ]  31,567 lines  15,783/s  2.8 s left");
    CHECK(Progress::line("import", "lines", 0, 0, 100, 0, 100) == "import    0% [                    ]  0 lines");
    CHECK(Progress::line("import", "lines", 10, 100, 100, 2, 100) ==
          "import  100% [####################]  10 lines  5/s");
}

TEST_CASE("progress without a known end shows count and rate", "[tools][progress]") {
    CHECK(Progress::line("import", "lines", 500, 12'345, 0, 2, 100) == "import  500 lines  250/s");
}

TEST_CASE("progress fits the terminal, and a file that grew meanwhile is at most complete", "[tools][progress]") {
    CHECK(Progress::line("import", "lines", 31'567, 42, 100, 2, 20) == "import   42% [#####…");
    CHECK(Progress::line("import", "lines", 1, 150, 100, 1, 100) ==
          "import  100% [####################]  1 lines  1/s");
}
