#include <stele/store/query.hpp>
