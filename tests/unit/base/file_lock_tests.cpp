#include "base/durable_file.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace rekey;
using rekey::testing::TemporaryDirectory;

namespace {

// A process that holds the lock until it is killed; returns once it does.
pid_t start_holder(const std::string& path) {
    int ready[2];
    BOOST_REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const auto lock = FileLock::acquire(path);
        const char answer = lock.has_value() ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) == 1) ::pause();
        ::_exit(0);
    }
    char answer = 0;
    BOOST_REQUIRE(::read(ready[0], &answer, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
    BOOST_REQUIRE(answer == 'y');
    return child;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(file_lock_tests)

BOOST_AUTO_TEST_CASE(a_lock_excludes_until_it_is_destroyed) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.lock");
    {
        const auto lock = FileLock::acquire(path);
        BOOST_REQUIRE(lock.has_value());
        struct stat status{};
        BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
        BOOST_TEST((status.st_mode & 0777U) == 0600U);
        const auto second = FileLock::acquire(path);
        BOOST_REQUIRE(second.has_error());
        BOOST_TEST((second.error().code() == Code::conflict));
        BOOST_TEST(second.error().details()->at("pid").as_int64() == ::getpid());
        BOOST_TEST(second.error().message() ==
                   path + " is held by another process (pid " + std::to_string(::getpid()) + ")");
    }
    BOOST_TEST(FileLock::acquire(path).has_value());
}

BOOST_AUTO_TEST_CASE(a_moved_lock_stays_held) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.lock");
    std::optional<FileLock> kept;
    {
        auto lock = FileLock::acquire(path);
        BOOST_REQUIRE(lock.has_value());
        kept.emplace(std::move(*lock));
    }
    BOOST_TEST(FileLock::acquire(path).has_error());
    kept.reset();
    BOOST_TEST(FileLock::acquire(path).has_value());
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_no_lock_behind) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.lock");
    const pid_t holder = start_holder(path);
    const auto refused = FileLock::acquire(path);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().details()->at("pid").as_int64() == holder);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    BOOST_TEST(FileLock::acquire(path).has_value());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_unavailable) {
    const TemporaryDirectory directory;
    const auto missing = FileLock::acquire(directory.file("none/state.lock"));
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST((missing.error().code() == Code::unavailable));
    // A planted link would have its target emptied.
    BOOST_REQUIRE(::symlink("/etc/hostname", directory.file("link").c_str()) == 0);
    BOOST_TEST(FileLock::acquire(directory.file("link")).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
