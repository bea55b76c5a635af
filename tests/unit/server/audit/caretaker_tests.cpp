#include "tests/unit/server/audit/audit_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::AuditWorld;

namespace {

constexpr std::uint64_t kEvery = limits::kCheckpointRows;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(caretaker_tests, AuditWorld)

BOOST_AUTO_TEST_CASE(the_newest_row_is_signed_when_it_is_old_and_not_before) {
    append(3);
    caretaker.start();
    time.settle();
    // The first is signed at once.
    BOOST_TEST(checkpoints() == std::vector<std::uint64_t>{3}, boost::test_tools::per_element());
    append(2);
    time.run_for(Milliseconds(limits::kCheckpointAge) - Milliseconds(limits::kCheckpointLook));
    BOOST_TEST(checkpoints().size() == 1U);
    time.run_for(Milliseconds(limits::kCheckpointLook));
    BOOST_TEST((checkpoints() == std::vector<std::uint64_t>{3, 5}));
    // While nothing is written nothing is signed.
    time.run_for(10 * Milliseconds(limits::kCheckpointAge));
    BOOST_TEST(checkpoints().size() == 2U);
    BOOST_TEST(verified());
}

BOOST_AUTO_TEST_CASE(many_rows_are_signed_every_so_many) {
    append(1);
    caretaker.start();
    time.settle();
    append(2 * kEvery + 5);
    time.run_for(Milliseconds(limits::kCheckpointLook));
    BOOST_TEST((checkpoints() == std::vector<std::uint64_t>{1, 1 + kEvery, 1 + 2 * kEvery}));
    caretaker.stop();
    append(kEvery);
    time.run_for(Milliseconds(limits::kCheckpointAge));
    BOOST_TEST(checkpoints().size() == 3U);
    BOOST_TEST(verified());
}

BOOST_AUTO_TEST_CASE(an_end_is_signed_when_asked_for) {
    append(3);
    caretaker.start();
    time.settle();
    caretaker.stop();
    append(1);
    bool done = false;
    signer.look(audit::Checkpoints::Newest::when_old, [&](const Result<>&) { done = true; });
    BOOST_TEST(done);
    BOOST_TEST(checkpoints().size() == 1U);
    signer.look(audit::Checkpoints::Newest::always, [](const Result<>&) {});
    BOOST_TEST((checkpoints() == std::vector<std::uint64_t>{3, 4}));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_does_not_stop_the_signing) {
    append(1);
    caretaker.start();
    time.settle();
    time.wall -= std::chrono::days{3};
    append(1);
    time.run_for(Milliseconds(limits::kCheckpointLook));
    BOOST_TEST(checkpoints().size() == 2U);
}

BOOST_AUTO_TEST_CASE(nothing_is_signed_on_top_of_what_was_changed) {
    append(3);
    caretaker.start();
    time.settle();
    append(2);
    const auto honest = row(3).hash;
    row(3).hash[0] ^= 1;
    time.run_for(2 * Milliseconds(limits::kCheckpointAge));
    BOOST_TEST(checkpoints().size() == 1U);
    // Nor removed, however old: it may be evidence.
    retain_days(1);
    time.run_for(std::chrono::days{3});
    BOOST_TEST(database->audit.size() == 5U);
    retain_days(0);
    row(3).hash = honest;
    time.run_for(Milliseconds(limits::kCheckpointLook));
    BOOST_TEST(checkpoints().size() == 2U);
    // The end is gone.
    database->audit.pop_back();
    database->audit_head = {4, database->audit.back().hash};
    Result<> answer;
    signer.look(audit::Checkpoints::Newest::always, [&](const Result<>& done) { answer = done; });
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::corrupt));
}

BOOST_AUTO_TEST_CASE(what_is_kept_for_ever_stays) {
    append(5);
    caretaker.start();
    time.run_for(std::chrono::days{60});
    BOOST_TEST(database->audit.size() == 5U);
}

BOOST_AUTO_TEST_CASE(old_rows_go_up_to_a_checkpoint_and_the_rest_is_verifiable) {
    retain_days(30);
    append(10);
    caretaker.start();
    time.settle();  // signed: 10
    time.run_for(std::chrono::days{20});
    append(5);
    time.run_for(std::chrono::days{9});
    BOOST_TEST(database->audit.size() == 15U);
    time.run_for(std::chrono::days{1} + std::chrono::seconds{30});
    // Row 16 says what went.
    BOOST_REQUIRE(database->audit.size() == 6U);
    BOOST_TEST(database->audit.front().seq == 11U);
    const auto& said = row(16).event;
    BOOST_TEST(said.action == "audit.removed");
    BOOST_TEST(said.actor == "system");
    BOOST_TEST(said.details.at("first_seq").to_number<int>() == 1);
    BOOST_TEST(said.details.at("last_seq").to_number<int>() == 10);
    BOOST_TEST(checkpoints().front() == 10U);
    const auto verification = verify();
    BOOST_TEST(!verification.fault());
    BOOST_TEST(verification.first_seq() == 11U);
    // The beginning moves on with later removals.
    time.run_for(std::chrono::days{31});
    BOOST_TEST(database->audit.front().seq > 15U);
    BOOST_TEST(verified());
}

BOOST_AUTO_TEST_CASE(a_long_trail_goes_in_bounded_sweeps) {
    append(3 * kEvery);
    caretaker.start();
    time.run_for(std::chrono::days{40});
    append(1);
    retain_days(30);
    time.run_for(Milliseconds(limits::kCheckpointLook) + std::chrono::seconds{1});
    BOOST_TEST(database->audit.front().seq == 3 * kEvery + 1);
    std::size_t sweeps = 0;
    for (const auto& row : database->audit) {
        if (row.event.action != "audit.removed") continue;
        ++sweeps;
        const auto& details = row.event.details;
        BOOST_TEST(details.at("last_seq").to_number<std::uint64_t>() -
                       details.at("first_seq").to_number<std::uint64_t>() <
                   limits::kSweepRows);
    }
    BOOST_TEST(sweeps == 3U);
    BOOST_TEST(verified());
}

// A clock that jumped ahead makes everything look old.
BOOST_AUTO_TEST_CASE(nothing_goes_while_the_clock_is_astray) {
    retain_days(30);
    append(10);
    caretaker.start();
    time.settle();
    append(1);
    time.wall += std::chrono::days{400};
    time.run_for(std::chrono::minutes{1});
    BOOST_TEST(database->audit.front().seq == 1U);
    time.wall -= std::chrono::days{400};
    time.run_for(std::chrono::days{32});
    BOOST_TEST(database->audit.front().seq > 10U);
}

BOOST_AUTO_TEST_SUITE_END()
