#include <stele/test/catch.hpp>
