// The stele command, but on the disk that the environment variable STELE_TEST_DISK asks for (see faulty_disk.hpp).
#include <stele/test/faulty_disk.hpp>
#include <stele/tools/tool.hpp>

int main(int argc, char** argv) {
    const auto disk = stele::test::disk_from_environment();
    return stele::tool::main(argc, argv);
}
