#include "base/durable_file.hpp"
#include "server/revocation/file_journal.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/server/support/world.hpp"

#include <csignal>
#include <fstream>
#include <future>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::revocation;

namespace {

struct Fixture : server::testing::World {
    rekey::testing::TemporaryDirectory folder;
    std::string path = folder.file("revocations");

    [[nodiscard]] std::unique_ptr<FileJournal> open() const { return FileJournal::open(path, log); }
    static Revocation revocation(int number) {
        return {"agent-" + std::to_string(number), Time(Milliseconds(1'000'000)), "admin"};
    }
    static Result<> append(FileJournal& journal, int number) {
        std::promise<Result<>> answer;
        journal.append(revocation(number),
                       [&answer](const Result<>& result) { answer.set_value(result); });
        return answer.get_future().get();
    }
    [[nodiscard]] std::string content() const { return read_file(path, 100'000).value(); }
    void write(const std::string& text) const {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    }
};

// Files of this process may not grow beyond `bytes`: what a full disk does to a write.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(std::uint64_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(file_journal_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_line_is_the_documented_one_and_every_byte_counts) {
    const std::string line = revocation_line(revocation(1));
    BOOST_TEST(line == "v1 1970-01-01T00:16:40.000Z agent-1 admin 352d6a7839dd6cf3\n");
    BOOST_TEST((read_revocation_line(line) == revocation(1)));
    for (std::size_t i = 0; i < line.size(); ++i) {
        std::string wrong = line;
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        BOOST_TEST(!read_revocation_line(wrong).has_value());
        BOOST_TEST(!read_revocation_line(line.substr(0, i)).has_value());
    }
}

BOOST_AUTO_TEST_CASE(what_was_answered_is_there_at_the_next_start_once_and_private) {
    {
        const auto journal = open();
        BOOST_TEST(journal->found().empty());
        for (const int number : {1, 2, 1}) BOOST_TEST(append(*journal, number).has_value());
        BOOST_TEST(journal->holds("agent-1"));
        BOOST_TEST(!journal->holds("agent-3"));
    }
    BOOST_TEST(content() == revocation_line(revocation(1)) + revocation_line(revocation(2)));
    struct stat status{};
    BOOST_REQUIRE_EQUAL(::stat(path.c_str(), &status), 0);
    BOOST_TEST((status.st_mode & 0777U) == 0600U);
    BOOST_TEST((open()->found() == std::vector{revocation(1), revocation(2)}));
}

BOOST_AUTO_TEST_CASE(a_deletion_has_a_line_of_its_own_after_a_revocation_and_none_before_it) {
    const auto append_end = [](FileJournal& journal, int number, End end) {
        Revocation one = revocation(number);
        one.end = end;
        std::promise<Result<>> answer;
        journal.append(one, [&answer](const Result<>& result) { answer.set_value(result); });
        BOOST_TEST(answer.get_future().get().has_value());
        return one;
    };
    Revocation first;
    Revocation second;
    {
        const auto journal = open();
        BOOST_TEST(append(*journal, 1).has_value());
        first = append_end(*journal, 1, End::deleted);
        second = append_end(*journal, 2, End::deleted);
        append_end(*journal, 1, End::deleted);
        append_end(*journal, 2, End::revoked);
    }
    BOOST_TEST(revocation_line(first).starts_with("v1-deleted 1970-01-01T00:16:40.000Z agent-1 "));
    BOOST_TEST(content() ==
               revocation_line(revocation(1)) + revocation_line(first) + revocation_line(second));
    const auto journal = open();
    BOOST_TEST((journal->found() == std::vector{revocation(1), first, second}));
    append_end(*journal, 1, End::revoked);
    append_end(*journal, 2, End::deleted);
    BOOST_TEST(content().size() == revocation_line(revocation(1)).size() +
                                       revocation_line(first).size() +
                                       revocation_line(second).size());
}

BOOST_AUTO_TEST_CASE(a_torn_last_line_is_cut_off_by_the_next_one) {
    const std::string whole = revocation_line(revocation(1));
    const std::string torn = revocation_line(revocation(2));
    for (std::size_t length = 1; length < torn.size(); ++length) {
        write(whole + torn.substr(0, length));
        const auto journal = open();
        BOOST_REQUIRE_EQUAL(journal->found().size(), 1U);
        BOOST_TEST(append(*journal, 3).has_value());
        BOOST_TEST(content() == whole + revocation_line(revocation(3)));
    }
    BOOST_TEST(!logged("revocations.damaged"));
}

BOOST_AUTO_TEST_CASE(a_line_damaged_elsewhere_is_reported_and_the_others_count) {
    std::string damaged = revocation_line(revocation(2));
    damaged[30] ^= 1;
    write(revocation_line(revocation(1)) + damaged + revocation_line(revocation(3)));
    BOOST_TEST((open()->found() == std::vector{revocation(1), revocation(3)}));
    BOOST_TEST(logged("revocations.damaged"));
    BOOST_TEST(logged("line=2"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_unavailable_and_what_is_owed_comes_with_the_next_line) {
    const auto journal = open();
    BOOST_TEST(append(*journal, 1).has_value());
    const std::string before = content();
    {
        const FileSizeLimit full(before.size() + 10);
        const auto failed = append(*journal, 2);
        BOOST_REQUIRE(failed.has_error());
        BOOST_TEST((failed.error().code() == Code::unavailable));
        BOOST_TEST(!journal->holds("agent-2"));
    }
    BOOST_TEST(content() == before, "no half a line");
    BOOST_TEST(append(*journal, 3).has_value());
    BOOST_TEST(journal->holds("agent-2"));
    BOOST_TEST(content() ==
               before + revocation_line(revocation(2)) + revocation_line(revocation(3)));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_ends_the_start) {
    BOOST_REQUIRE_EQUAL(::mkdir(path.c_str(), 0700), 0);
    BOOST_CHECK_THROW(static_cast<void>(open()), StartupError);
}

BOOST_AUTO_TEST_SUITE_END()
