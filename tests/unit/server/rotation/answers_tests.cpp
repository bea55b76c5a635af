#include "tests/unit/server/support/fake_agents.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using namespace std::chrono_literals;

namespace {

struct Fixture : OfferedWorld {
    // What every failure has in common: nothing is withdrawn, and the same bytes come again.
    void check_offered_again(FakeLink& to) {
        BOOST_REQUIRE(credentials("a").pending.has_value());
        BOOST_TEST(credentials("a").pending->rotation_id == rotation_id);
        clock.advance(2h);
        const auto before = to.count("agent.rotate");
        tick(to);
        BOOST_REQUIRE(to.count("agent.rotate") == before + 1);
        BOOST_TEST(to.offer().params.at("token").as_string() == token);
        BOOST_TEST(to.offer().params.at("rotation_id").as_string() == rotation_id);
    }
    void check_refused(std::string_view reason) {
        BOOST_TEST(credentials("a").pending->last_reason == reason);
        BOOST_TEST(audited("rotation.refused") == 1U);
        BOOST_TEST(logged("reason=" + std::string(reason)));
    }
    boost::json::value altered(std::string_view name, boost::json::value value) {
        auto answer = link->complete(link->offer());
        answer.as_object()[std::string(name)] = std::move(value);
        return answer;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(answers_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_wrong_proof_promotes_nothing) {
    answer(link->offer(), altered("proof", boost::json::string(64, '0')));
    check_refused("wrong_proof");
    check_offered_again(*link);
    answer(link->offer(), link->complete(link->offer()));
    BOOST_TEST(credentials("a").current->generation == 2U);
}

BOOST_AUTO_TEST_CASE(a_proof_for_another_agent_promotes_nothing) {
    const std::string foreign = protocol::rotation_proof(Secret(token), "b", rotation_id, 2);
    answer(link->offer(), altered("proof", boost::json::string(foreign)));
    check_refused("wrong_proof");
}

BOOST_AUTO_TEST_CASE(answers_in_any_other_form_are_no_answer) {
    const boost::json::value forms[] = {
        nullptr,
        "rotation_complete",
        boost::json::object{},
        altered("rotation_id", "01890000-0000-7000-8000-0000000000ff"),
        altered("generation", 3),
        altered("status", "done"),
        altered("proof", nullptr),
    };
    std::size_t audited_before = 0;
    for (const auto& form : forms) {
        answer(link->offer(), form);
        BOOST_TEST(credentials("a").pending->last_reason == "malformed");
        BOOST_TEST(audited("rotation.refused") == ++audited_before);
        check_offered_again(*link);
    }
    BOOST_TEST(credentials("a").current->generation == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_counted_and_the_offer_stays) {
    answer(link->offer(), link->failed(link->offer(), "disk_full"));
    check_refused("disk_full");
    check_offered_again(*link);
    BOOST_TEST(credentials("a").pending->attempts == 2U);
}

BOOST_AUTO_TEST_CASE(an_error_object_counts_as_other) {
    answer(link->offer(), Error(Code::method_not_found, "what is that"));
    check_refused("other");
    check_offered_again(*link);
}

BOOST_AUTO_TEST_CASE(the_back_off_is_kept_within_a_session) {
    time_out(link->offer());
    const Time next = link->progress().attend_at;
    BOOST_TEST((next >= clock.now() + 30s));
    BOOST_TEST((next <= clock.now() + 60s));
    tick(*link);
    BOOST_TEST(link->count("agent.rotate") == 1U);
    clock.advance(61s);
    tick(*link);
    BOOST_TEST(link->count("agent.rotate") == 2U);
    time_out(link->offer());
    BOOST_TEST((link->progress().attend_at >= clock.now() + 60s));
}

BOOST_AUTO_TEST_CASE(an_offer_that_waits_is_not_doubled) {
    clock.advance(2h);
    tick(*link);
    ready(*link);
    BOOST_TEST(link->count("agent.rotate") == 1U);
    BOOST_TEST(credentials("a").pending->attempts == 1U);
}

BOOST_AUTO_TEST_CASE(a_late_answer_still_counts) {
    auto offer = link->offer();
    time_out(link->offer());
    check_refused("timeout");
    answer_late(offer, link->complete(offer));
    BOOST_TEST(credentials("a").current->generation == 2U);
    BOOST_TEST(link->count("agent.commit") == 1U);
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_an_older_rotation_changes_nothing) {
    auto first = link->offer();
    time_out(link->offer());
    answer_late(first, link->complete(first));
    answer(link->commit(), link->activated(link->commit()));
    start("a", rotation::RotationCause::emergency);
    const auto pending = credentials("a").pending;
    const auto completion = link->complete(first);
    coordinator.on_complete(
        *link, {.generation = 2, .rotation_id = rotation_id},
        std::string(completion.at("proof").as_string()),
        [](const Result<std::uint64_t>& result) { BOOST_TEST(result.has_value()); });
    queue.run();
    BOOST_TEST((credentials("a").pending == pending));
}

BOOST_AUTO_TEST_CASE(two_completions_promote_once_and_are_answered_alike) {
    const auto completion = link->complete(link->offer());
    const std::string proof(completion.at("proof").as_string());
    std::vector<std::uint64_t> answers;
    const auto complete_again = [&] {
        coordinator.on_complete(
            *link, {.generation = 2, .rotation_id = rotation_id}, proof,
            [&](Result<std::uint64_t> generation) { answers.push_back(generation.value()); });
    };
    complete_again();
    complete_again();
    answer(link->offer(), completion);
    BOOST_TEST(answers == (std::vector<std::uint64_t>{2, 2}), boost::test_tools::per_element());
    BOOST_TEST(audited("rotation.promoted") == 1U);
    BOOST_TEST(row("a").rotation_count == 1U);
    BOOST_TEST(link->count("agent.commit") == 1U);
}

BOOST_AUTO_TEST_CASE(a_completion_as_a_request_hears_what_is_wrong_with_it) {
    std::optional<Error> error;
    const auto keep = [&](const Result<std::uint64_t>& result) { error = result.error(); };
    coordinator.on_complete(*link, {.generation = 2, .rotation_id = rotation_id},
                            std::string(64, 'a'), keep);
    queue.run();
    BOOST_TEST((error->code() == Code::invalid_params));
    BOOST_TEST(error->details()->at("path").as_string() == "proof");
    coordinator.on_complete(*link, {.generation = 7, .rotation_id = rotation_id},
                            std::string(64, 'a'), keep);
    queue.run();
    BOOST_TEST((error->code() == Code::wrong_state));
    BOOST_TEST(credentials("a").pending.has_value());
}

BOOST_AUTO_TEST_CASE(a_suspended_agent_completes_nothing) {
    const auto completion = link->complete(link->offer());
    change_row("a", [](auto& row) { row.status = storage::AgentStatus::suspended; });
    answer(link->offer(), completion);
    BOOST_TEST(credentials("a").pending.has_value());
    BOOST_TEST(credentials("a").current->generation == 1U);
    BOOST_TEST(link->count("agent.commit") == 0U);
}

BOOST_AUTO_TEST_CASE(a_failure_as_a_request_is_noted) {
    bool noted = false;
    coordinator.on_failed(*link, {.rotation_id = rotation_id, .reason = "read_only"},
                          [&](const Result<>& result) { noted = result.has_value(); });
    queue.run();
    BOOST_TEST(noted);
    check_refused("read_only");
}

BOOST_AUTO_TEST_CASE(a_failure_of_another_rotation_changes_nothing) {
    coordinator.on_failed(*link, {.rotation_id = "another", .reason = "read_only"}, {});
    queue.run();
    BOOST_TEST(credentials("a").pending->last_reason.empty());
    BOOST_TEST(audited("rotation.refused") == 0U);
}

BOOST_AUTO_TEST_CASE(a_session_that_ends_withdraws_nothing) {
    agents.disconnect("a");
    queue.run();
    BOOST_TEST(credentials("a").pending->rotation_id == rotation_id);
    FakeLink& back = agents.connect("a", 1);
    ready(back);
    BOOST_REQUIRE(back.count("agent.rotate") == 1U);
    BOOST_TEST(back.offer().params.at("token").as_string() == token);
    BOOST_TEST(credentials("a").pending->attempts == 2U);
}

BOOST_AUTO_TEST_CASE(what_a_rotation_needed_is_known_after_it_is_over) {
    answer(link->offer(), link->failed(link->offer(), "disk_full"));
    clock.advance(2h);
    tick(*link);
    const Time offered_at = clock.now();
    clock.advance(1s);
    finish(*link);
    BOOST_TEST(!credentials("a").pending);
    const auto& offers = database->rotations.at(rotation_id).offers;
    BOOST_TEST(offers.attempts == 2U);
    BOOST_TEST((offers.offered_at == offered_at));
    BOOST_TEST(offers.last_reason == "disk_full");
}

BOOST_AUTO_TEST_CASE(the_commit_comes_again_until_it_is_answered) {
    answer(link->offer(), link->complete(link->offer()));
    BOOST_TEST(link->count("agent.commit") == 1U);
    tick(*link);
    BOOST_TEST(link->count("agent.commit") == 1U);
    time_out(link->commit());
    tick(*link);
    BOOST_TEST(link->count("agent.commit") == 2U);
    answer(link->commit(), Error(Code::wrong_state, "not held"));
    agents.disconnect("a");
    FakeLink& back = agents.connect("a", 2);
    ready(back);
    BOOST_REQUIRE(back.calls.size() == 1U);
    answer(back.commit(), parse(R"({"status":"activated"})"));
    BOOST_TEST(credentials("a").activated_generation == 1U);
    tick(back);
    answer(back.commit(), back.activated(back.commit()));
    BOOST_TEST(credentials("a").activated_generation == 2U);
    tick(back);
    BOOST_TEST(back.count("agent.commit") == 2U);
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_the_commit_activates) {
    answer(link->offer(), link->complete(link->offer()));
    auto commit = link->commit();
    time_out(link->commit());
    answer_late(commit, link->activated(commit));
    BOOST_TEST(credentials("a").activated_generation == 2U);
}

BOOST_AUTO_TEST_CASE(the_next_rotation_does_not_wait_for_the_commit_s_answer) {
    answer(link->offer(), link->complete(link->offer()));
    BOOST_TEST(start("a").has_value());
    BOOST_TEST(link->count("agent.rotate") == 2U);
    // On a connect the commit comes first.
    agents.disconnect("a");
    FakeLink& back = agents.connect("a", 2);
    ready(back);
    BOOST_REQUIRE(back.calls.size() == 2U);
    BOOST_TEST(back.calls[0].method == "agent.commit");
    BOOST_TEST(back.calls[1].method == "agent.rotate");
}

BOOST_AUTO_TEST_CASE(a_socket_on_the_token_before_the_previous_one_is_closed) {
    answer(link->offer(), link->complete(link->offer()));
    start("a");
    link->bind(1);  // as a session that was opened with the first token and proved nothing since
    const auto completion = link->complete(link->offer());
    coordinator.on_complete(*link,
                            {.generation = 3, .rotation_id = credentials("a").pending->rotation_id},
                            std::string(completion.at("proof").as_string()), {});
    queue.run();
    // The proof has bound it to the newest before what was retired is closed.
    BOOST_TEST(link->bound_generation() == 3U);
    BOOST_TEST(link->closed_with == 0U);
}

BOOST_AUTO_TEST_CASE(an_activation_binds_the_session_that_says_it) {
    answer(link->offer(), link->complete(link->offer()));
    link->bind(1);
    answer(link->commit(), link->activated(link->commit()));
    BOOST_TEST(link->bound_generation() == 2U);
}

BOOST_AUTO_TEST_CASE(a_connect_with_the_pending_token_promotes_it) {
    agents.disconnect("a");
    queue.run();
    Result<rotation::Accepted> accepted(Error(Code::internal, "not answered"));
    const auto connect = [&](const Bytes32& hash) {
        coordinator.promote_at_connect(
            "a", hash, "192.0.2.8",
            [&](Result<rotation::Accepted> result) { accepted = std::move(result); });
        queue.run();
    };
    const Bytes32 hash = protocol::token_hash(token);
    commits_to_lose = 2;
    connect(hash);
    BOOST_REQUIRE(accepted.has_value());
    BOOST_TEST(accepted->generation == 2U);
    BOOST_TEST(credentials("a").current->generation == 2U);
    BOOST_TEST(audited("rotation.promoted") == 1U);
    // A racer with the same token finds it promoted.
    connect(hash);
    BOOST_TEST(accepted->generation == 2U);
    BOOST_TEST(audited("rotation.promoted") == 1U);
    // After a revoke it opens nothing.
    change_row("a", [](auto& row) {
        row = {};
        row.status = storage::AgentStatus::revoked;
    });
    connect(hash);
    BOOST_REQUIRE(accepted.has_error());
    BOOST_TEST((accepted.error().code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_SUITE_END()
