#include "base/durable_file.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace rekey;
using rekey::testing::TemporaryDirectory;

namespace {

constexpr uid_t kNobody = 65534;

std::string content_of(const std::string& path) {
    auto content = read_file(path, 1 << 20);
    return content.has_value() ? *content : "<" + content.error().message() + ">";
}

mode_t mode_of(const std::string& path) {
    struct stat status{};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// While it lives, files may not grow beyond `bytes`: to write(), that is a full disk.
class SmallFiles {
  public:
    explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit small{bytes, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallFiles() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit old_{};
    void (*handler_)(int);
};

// While it lives, permissions bind us: they do not bind root.
class Unprivileged {
  public:
    explicit Unprivileged(const std::string& owned) : was_root_(::geteuid() == 0) {
        if (!was_root_) return;
        BOOST_REQUIRE(::chown(owned.c_str(), kNobody, static_cast<gid_t>(-1)) == 0);
        BOOST_REQUIRE(::seteuid(kNobody) == 0);
    }
    ~Unprivileged() {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
    }

  private:
    bool was_root_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(durable_file_tests)

BOOST_AUTO_TEST_CASE(a_write_replaces_the_whole_content) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    for (const std::string& content :
         {std::string("first and longer"), std::string("second"), std::string(),
          std::string(100'000, 'x'), std::string("nul\0inside", 10)}) {
        BOOST_REQUIRE(!write_durably(path, content).has_value());
        BOOST_TEST((content_of(path) == content));
        BOOST_TEST(!exists(path + ".tmp"));
    }
}

BOOST_AUTO_TEST_CASE(a_file_is_private_from_its_creation) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    const mode_t old = ::umask(0);
    std::ofstream(path) << "made by somebody else with another mode";
    BOOST_TEST(mode_of(path) == 0666U);
    const auto failed = write_durably(path, "secret");
    ::umask(old);
    BOOST_REQUIRE(!failed.has_value());
    BOOST_TEST(mode_of(path) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_temporary_file_left_by_a_crash_is_no_obstacle) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    std::ofstream(path + ".tmp") << "half a wri";
    BOOST_REQUIRE(!write_durably(path, "whole").has_value());
    BOOST_TEST(content_of(path) == "whole");
}

BOOST_AUTO_TEST_CASE(a_link_planted_for_the_temporary_file_is_not_followed) {
    const TemporaryDirectory directory;
    const std::string victim = directory.file("victim");
    std::ofstream(victim) << "untouched";
    const std::string path = directory.file("state.json");
    BOOST_REQUIRE(::symlink(victim.c_str(), (path + ".tmp").c_str()) == 0);
    BOOST_REQUIRE(!write_durably(path, "secret").has_value());
    BOOST_TEST(content_of(victim) == "untouched");
    BOOST_TEST(content_of(path) == "secret");
}

BOOST_AUTO_TEST_CASE(a_missing_directory_fails_before_the_rename) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("none/state.json");
    const auto failed = write_durably(path, "x");
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::before_rename));
    BOOST_TEST(failed->system_error == ENOENT);
    BOOST_TEST(failed->what == "create " + path + ".tmp: No such file or directory");
}

BOOST_AUTO_TEST_CASE(a_full_disk_fails_before_the_rename_and_keeps_the_old_file) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    BOOST_REQUIRE(!write_durably(path, "old").has_value());
    std::optional<WriteFailure> failed;
    {
        const SmallFiles limit(1024);
        failed = write_durably(path, std::string(4096, 'n'));
    }
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::before_rename));
    BOOST_TEST(failed->system_error == EFBIG);
    BOOST_TEST(failed->what.starts_with("write "));
    BOOST_TEST(content_of(path) == "old");
    BOOST_TEST(!exists(path + ".tmp"));
}

BOOST_AUTO_TEST_CASE(a_rename_that_fails_keeps_what_was_there) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    std::filesystem::create_directories(path + "/inside");
    const auto failed = write_durably(path, "x");
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::before_rename));
    BOOST_TEST(failed->what.starts_with("rename "));
    BOOST_TEST(exists(path + "/inside"));
    BOOST_TEST(!exists(path + ".tmp"));
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_written_fails_before_the_rename) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    const Unprivileged user(directory.path());
    BOOST_REQUIRE(!write_durably(path, "old").has_value());
    BOOST_REQUIRE(::chmod(directory.path().c_str(), 0500) == 0);
    const auto failed = write_durably(path, "new");
    BOOST_REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::before_rename));
    BOOST_TEST(failed->system_error == EACCES);
    BOOST_TEST(content_of(path) == "old");
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_synced_fails_after_the_rename) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state.json");
    const Unprivileged user(directory.path());
    BOOST_REQUIRE(!write_durably(path, "old").has_value());
    // It can be changed, but not opened to be synced.
    BOOST_REQUIRE(::chmod(directory.path().c_str(), 0300) == 0);
    const auto failed = write_durably(path, "new");
    BOOST_REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->stage == WriteStage::after_rename));
    BOOST_TEST(failed->system_error == EACCES);
    BOOST_TEST(failed->what.starts_with("open " + directory.path()));
    BOOST_TEST(content_of(path) == "new");
}

BOOST_AUTO_TEST_CASE(what_a_write_left_behind_can_be_synced_later_and_needs_no_space) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("state");
    const auto missing = sync_durably(path);
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST((missing.error().code() == Code::not_found));
    BOOST_REQUIRE(!write_durably(path, "content"));
    const SmallFiles full(0);
    BOOST_TEST(sync_durably(path).has_value());
    BOOST_TEST(content_of(path) == "content");
}

BOOST_AUTO_TEST_CASE(a_file_name_without_a_directory_means_the_current_one) {
    const TemporaryDirectory directory;
    const auto old = std::filesystem::current_path();
    std::filesystem::current_path(directory.path());
    const auto failed = write_durably("state.json", "x");
    std::filesystem::current_path(old);
    BOOST_TEST(!failed.has_value());
    BOOST_TEST(content_of(directory.file("state.json")) == "x");
}

BOOST_AUTO_TEST_CASE(reading_tells_missing_from_unreadable_from_too_large) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("f");
    const auto missing = read_file(path, 10);
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST((missing.error().code() == Code::not_found));
    const auto is_directory = read_file(directory.path(), 10);
    BOOST_REQUIRE(is_directory.has_error());
    BOOST_TEST((is_directory.error().code() == Code::unavailable));
    std::ofstream(path) << "0123456789";
    BOOST_TEST(*read_file(path, 10) == "0123456789");
    const auto large = read_file(path, 9);
    BOOST_REQUIRE(large.has_error());
    BOOST_TEST((large.error().code() == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(a_private_file_is_read_by_its_owner_alone) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("key");
    BOOST_TEST((require_private(path).error().code() == Code::not_found));
    BOOST_REQUIRE(!write_durably(path, "x").has_value());
    BOOST_TEST(require_private(path).has_value());
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto open = require_private(path);
        BOOST_REQUIRE(open.has_error());
        BOOST_TEST((open.error().code() == Code::permission_denied));
        BOOST_TEST(open.error().message().ends_with("chmod 600 " + path));
    }
}

BOOST_AUTO_TEST_CASE(a_private_directory_is_made_with_its_parents) {
    const TemporaryDirectory directory;
    for (const std::string name : {"a/b/c", "d/e/", "f//"}) {
        const std::string path = directory.file(name);
        BOOST_REQUIRE(make_private_directory(path).has_value());
        BOOST_TEST(mode_of(path) == 0700U, name);
        BOOST_TEST(make_private_directory(path).has_value());
    }
    std::ofstream(directory.file("file")) << "x";
    for (const std::string name : {"file", "file/below"}) {
        const auto failed = make_private_directory(directory.file(name));
        BOOST_REQUIRE(failed.has_error());
        BOOST_TEST((failed.error().code() == Code::unavailable));
        BOOST_TEST(failed.error().message().find(directory.file("file")) != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
