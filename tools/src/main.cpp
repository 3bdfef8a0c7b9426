#include <stele/tools/tool.hpp>

int main(int argc, char** argv) { return stele::tool::main(argc, argv); }
