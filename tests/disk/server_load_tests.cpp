// Many writers at once, many to a commit, on a disk that fails again and again at any call of one:
// whatever was answered is there, also after a kill in the middle of it.
#include "tests/disk/server_stand.hpp"
#include "tests/support/agent_stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

using namespace rekey;
using namespace rekey::testing;

namespace {

constexpr int kWriters = 6;
constexpr int kRounds = 25;

struct Call {
    std::uint32_t calls;
    const char* path_end;
};
const std::vector<Call> kCalls{{faults::kPwrite, "/rekey.db-wal"},
                               {faults::kFsync | faults::kFdatasync, "/rekey.db-wal"}};
const std::vector<int> kErrors{ENOSPC, EIO, EROFS};

// Creates agents without a pause until told to stop; what a killed server did not answer counts as
// refused by nobody.
class Writers {
  public:
    Writers(const Rekeyd& server, Ledger& ledger, const std::string& prefix) {
        for (int writer = 0; writer < kWriters; ++writer)
            threads_.emplace_back(
                [this, &server, &ledger, name = prefix + std::to_string(writer) + "-"] {
                    try {
                        for (int number = 0; !stop_; ++number) {
                            const auto made = ledger.create(server, name + std::to_string(number));
                            if (made.has_error() && made.error().code() != Code::unavailable)
                                ++wrong_answers_;
                        }
                    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
                        // The server was killed.
                    }
                });
    }
    Writers(const Writers&) = delete;
    Writers& operator=(const Writers&) = delete;
    ~Writers() { join(); }

    void join() {
        stop_ = true;
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }
    [[nodiscard]] int wrong_answers() const { return wrong_answers_; }

  private:
    std::atomic<bool> stop_ = false;
    std::atomic<int> wrong_answers_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(server_load_tests)

BOOST_FIXTURE_TEST_CASE(writers_at_once_lose_nothing_on_a_disk_that_fails_again_and_again,
                        BrokenServer) {
    const unsigned seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t bound) { return random() % bound; };

    AgentStage stage;
    ScriptedAgent& agent = stage.enroll_and_connect(server, "rotated");
    const std::string id = agent.agent_id();
    std::uint64_t generation = number_in(server.wait_settled(id, 1), "generation");
    {
        Writers writers(server, ledger, "a");
        for (int round = 0; round < kRounds; ++round) {
            const Call& call = kCalls[below(kCalls.size())];
            Fault fault =
                disk.fail(call.calls, call.path_end, kErrors[below(kErrors.size())], below(40));
            fault.wait_for_hits(1 + below(5));
            fault.lift();
            // Among the writes that find the disk well again.
            const auto rotation = ledger.rotate(server, id);
            BOOST_REQUIRE_MESSAGE(rotation.has_value(), rotation.error().message());
            generation = std::max(generation, number_in(rotation->as_object(), "generation"));
        }
        writers.join();
        BOOST_TEST(writers.wrong_answers() == 0, "unavailable, or it is there");
    }
    BOOST_TEST_MESSAGE(ledger.acknowledged() << " answered, " << ledger.refused() << " refused, "
                                             << generation << " generations");
    BOOST_TEST(ledger.refused() > 0U);
    ledger.expect_all_there(server);
    ledger.expect_nothing_else(server);
    server.wait_settled(id, generation);
    BOOST_TEST(stage.with([&] { return agent.seen().connects; }) == 1U);
    server.kill();
    server.start();
    ledger.expect_all_there(server);
}

BOOST_FIXTURE_TEST_CASE(a_kill_amid_failing_commits_loses_nothing_that_was_answered, BrokenServer) {
    const unsigned seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 6; ++round) {
        {
            Writers writers(server, ledger, "b" + std::to_string(round) + "-");
            const Call& call = kCalls[random() % kCalls.size()];
            const Fault fault = disk.fail(call.calls, call.path_end,
                                          kErrors[random() % kErrors.size()], 60 + random() % 200);
            fault.wait_for_hit();
            server.process().kill_hard();
        }
        server.start();
        ledger.expect_all_there(server);
    }
    BOOST_TEST_MESSAGE(ledger.acknowledged() << " answered");
    BOOST_TEST(ledger.acknowledged() > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
