#include "agent/disk.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace rekey;
using namespace rekey::agent;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status{};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(disk_tests)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_and_private) {
    const testing::TemporaryDirectory folder;
    FileDisk disk(folder.file("state.json"));
    BOOST_TEST((disk.read().error().code() == Code::not_found));
    const mode_t mask = ::umask(0);
    BOOST_TEST(!disk.write(Secret("one")).has_value());
    BOOST_TEST(!disk.write(Secret("two")).has_value());
    ::umask(mask);
    BOOST_TEST(disk.read().value().expose() == "two");
    BOOST_TEST(mode_of(disk.name()) == 0600U);
    // Nothing is left beside it.
    BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_file_that_others_can_read_is_refused_with_the_way_out) {
    const testing::TemporaryDirectory folder;
    FileDisk disk(folder.file("state.json"));
    BOOST_REQUIRE(!disk.write(Secret("one")));
    for (const mode_t mode : {0640U, 0604U, 0660U}) {
        BOOST_REQUIRE(::chmod(disk.name().c_str(), mode) == 0);
        const auto read = disk.read();
        BOOST_REQUIRE(read.has_error());
        BOOST_TEST((read.error().code() == Code::permission_denied));
        BOOST_TEST(read.error().message().find("chmod 600 " + disk.name()) != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_gone_fails_before_the_rename) {
    const testing::TemporaryDirectory folder;
    FileDisk disk(folder.file("missing/state.json"));
    const auto failed = disk.write(Secret("one"));
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::before_rename));
    BOOST_TEST(failed->system_error == ENOENT);
}

BOOST_AUTO_TEST_CASE(a_torn_temporary_file_of_a_crash_is_replaced) {
    const testing::TemporaryDirectory folder;
    FileDisk disk(folder.file("state.json"));
    BOOST_REQUIRE(!disk.write(Secret("one")));
    std::ofstream(disk.name() + ".tmp") << "half of tw";
    BOOST_TEST(disk.read().value().expose() == "one");
    BOOST_TEST(!disk.write(Secret("two")).has_value());
    BOOST_TEST(disk.read().value().expose() == "two");
}

BOOST_AUTO_TEST_CASE(removing_what_is_not_there_is_fine) {
    const testing::TemporaryDirectory folder;
    FileDisk disk(folder.file("record"));
    BOOST_TEST(disk.remove().has_value());
    BOOST_REQUIRE(!disk.write(Secret("one")));
    BOOST_TEST(disk.remove().has_value());
    BOOST_TEST((disk.read().error().code() == Code::not_found));
}

BOOST_AUTO_TEST_SUITE_END()
