#include "tests/simulation/broken_promises.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

// Whoever doubts that a simulation which passes means something: here it does not pass.
BOOST_AUTO_TEST_SUITE(broken_promise_tests)

using namespace rekey::simulation;

namespace {

constexpr std::uint64_t kSeeds = 40;

// The first failure among so many seeds; empty if there is none.
std::string first_failure(void (*break_promise)(Options&)) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        Options options{.agents = 8, .days = 20, .seed = seed};
        break_promise(options);
        const Report report = Simulation(std::move(options)).run();
        if (report.ok) continue;
        const std::string what = report.story.substr(0, report.story.find('\n'));
        BOOST_TEST_MESSAGE("seed " << seed << " after " << report.steps << " steps: " << what);
        return what;
    }
    return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_disk_that_forgets_its_syncs_is_found_out) {
    const std::string what = first_failure(let_syncs_be_forgotten);
    BOOST_TEST((what.starts_with("I1") || what.starts_with("I9") || what.starts_with("Rule B")),
               what);
}

BOOST_AUTO_TEST_CASE(an_agent_that_answers_before_it_saves_is_found_out) {
    const std::string what = first_failure(let_agents_answer_before_they_save);
    BOOST_TEST((what.starts_with("I1") || what.starts_with("I9") || what.starts_with("Rule B")),
               what);
}

BOOST_AUTO_TEST_CASE(a_store_that_forgets_its_last_commit_is_found_out) {
    const std::string what = first_failure(let_the_store_forget_its_last_commit);
    BOOST_TEST(what.starts_with("I"), what);
}

BOOST_AUTO_TEST_CASE(a_server_that_decides_by_an_old_row_is_found_out) {
    const std::string what = first_failure(let_reads_lag_behind);
    BOOST_TEST(what.starts_with("I"), what);
}

BOOST_AUTO_TEST_CASE(a_backup_that_takes_the_revocations_with_it_is_found_out) {
    const std::string what = first_failure(let_revocations_be_restored_away);
    BOOST_TEST(what.starts_with("I4"), what);
}

BOOST_AUTO_TEST_SUITE_END()
