#include "tests/unit/server/support/fake_agents.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using rotation::RotationCause;
using rotation::RotationStatus;
using namespace std::chrono_literals;

namespace {

// One connected agent on generation 1.
struct Fixture : RotationWorld {
    Fixture() { enrolled_agent("a"); }
    FakeLink& link = agents.connect("a", 1);
};

std::string text(const boost::json::value& object, std::string_view name) {
    return std::string(object.as_object().at(std::string(name)).as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(coordinator_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_rotation_runs_from_the_offer_to_the_activation) {
    const auto view = start("a");
    BOOST_REQUIRE(view.has_value());
    BOOST_TEST((view->status == RotationStatus::offered));
    BOOST_TEST(*view->generation == 2U);

    BOOST_REQUIRE(link.calls.size() == 1U);
    const auto offer = link.offer();
    BOOST_TEST(text(offer.params, "rotation_id") == *view->rotation_id);
    const auto offered = protocol::token_hash(text(offer.params, "token"));
    BOOST_TEST((credentials("a").pending->token_hash == offered));
    BOOST_TEST((offer.timeout == Milliseconds{30s}));

    answer(link.offer(), link.complete(offer));
    BOOST_TEST(!credentials("a").pending);
    BOOST_TEST((credentials("a").current->token_hash == offered));
    BOOST_TEST(credentials("a").previous->generation == 1U);
    BOOST_TEST(credentials("a").activated_generation == 1U);
    BOOST_TEST(link.bound_generation() == 2U);
    BOOST_TEST(row("a").rotation_count == 1U);

    BOOST_REQUIRE(link.calls.size() == 2U);
    BOOST_TEST(link.calls.back().method == "agent.commit");
    answer(link.commit(), link.activated(link.commit()));
    BOOST_TEST(credentials("a").activated_generation == 2U);
    BOOST_TEST((credentials("a").previous->retire_after == clock.now() + 5min));

    for (const char* action : {"rotation.started", "rotation.promoted", "rotation.activated"})
        BOOST_TEST(audited(action) == 1U, action);
    const auto& progress = database->rotations.at(*view->rotation_id);
    BOOST_TEST(progress.committed_at.has_value());
    BOOST_TEST(progress.activated_at.has_value());
    BOOST_TEST(progress.actor == "admin");
    for (const char* event :
         {"rotation.offered", "rotation.promoted", "rotation.commit_sent", "rotation.activated"})
        BOOST_TEST(logged(event), event);
    BOOST_TEST(!logged(text(offer.params, "token")));
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_the_commit) {
    coordinator.start({.agent_id = "a", .actor = "admin"}, [](const View&) {});
    BOOST_TEST(link.calls.empty());
    queue.run();
    BOOST_TEST(link.calls.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_offer_whose_transaction_failed_is_not_sent) {
    commits_to_lose = 1000;
    const auto view = start("a");
    BOOST_REQUIRE(view.has_error());
    BOOST_TEST((view.error().code() == Code::conflict));
    BOOST_TEST(link.calls.empty());
    BOOST_TEST(!credentials("a").pending);
}

BOOST_AUTO_TEST_CASE(a_lost_compare_and_swap_is_decided_again) {
    commits_to_lose = 3;
    BOOST_TEST(start("a").has_value());
    BOOST_TEST(link.count("agent.rotate") == 1U);
    BOOST_TEST(audited("rotation.started") == 1U);
    BOOST_TEST(credentials("a").next_generation == 3U);
}

BOOST_AUTO_TEST_CASE(with_one_pending_a_start_is_that_one_again) {
    const auto first = start("a");
    const auto second = start("a", RotationCause::emergency);
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->already_pending);
    BOOST_TEST(*second->rotation_id == *first->rotation_id);
    BOOST_TEST(link.count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(within_the_grace_only_an_emergency_begins) {
    start("a");
    finish(link);
    const auto refused = start("a");
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::wrong_state));
    BOOST_TEST(refused.error().details()->contains("not_before"));
    BOOST_TEST(start("a", RotationCause::emergency).has_value());
    BOOST_TEST(link.count("agent.rotate") == 2U);
}

BOOST_AUTO_TEST_CASE(who_may_not_rotate_hears_why) {
    BOOST_TEST((start("nobody").error().code() == Code::not_found));
    change_row("a", [](auto& row) { row.status = storage::AgentStatus::suspended; });
    BOOST_TEST((start("a").error().code() == Code::agent_suspended));
    change_row("a", [](auto& row) {
        row = {};
        row.status = storage::AgentStatus::active;
    });
    const auto unenrolled = start("a");
    BOOST_REQUIRE(unenrolled.has_error());
    BOOST_TEST((unenrolled.error().code() == Code::wrong_state));
    BOOST_TEST(link.calls.empty());
}

BOOST_AUTO_TEST_CASE(an_offline_agent_is_not_minted_for) {
    agents.disconnect("a");
    const auto view = start("a");
    BOOST_REQUIRE(view.has_value());
    BOOST_TEST((view->status == RotationStatus::at_next_connect));
    BOOST_TEST(!view->rotation_id);
    BOOST_TEST(!credentials("a").pending);
    BOOST_TEST(credentials("a").next_generation == 2U);

    FakeLink& back = agents.connect("a", 1);
    ready(back);
    BOOST_TEST(back.count("agent.rotate") == 1U);
    BOOST_TEST(!credentials("a").requested);
    const std::string id = credentials("a").pending->rotation_id;
    BOOST_TEST(database->rotations.at(id).actor == "admin");
}

// The session became ready after the wish was decided on and before it was committed.
BOOST_AUTO_TEST_CASE(a_wish_that_races_a_connect_is_not_forgotten) {
    agents.disconnect("a");
    coordinator.start({.agent_id = "a", .actor = "admin"}, [](const View&) {});
    FakeLink& back = agents.connect("a", 1);
    queue.run();
    BOOST_TEST(back.count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(a_start_a_schedule_and_a_connect_at_once_mint_once) {
    change_row("a", [this](auto& row) { row.rotate_at = clock.now() - 1s; });
    coordinator.on_ready(link);
    coordinator.start({.agent_id = "a", .actor = "admin"}, [](const View&) {});
    coordinator.on_tick(link);
    coordinator.start({.agent_id = "a", .actor = "admin"}, [](const View&) {});
    queue.run();
    BOOST_TEST(audited("rotation.started") == 1U);
    BOOST_TEST(credentials("a").next_generation == 3U);
    BOOST_TEST(link.count("agent.rotate") == 1U);
    finish(link);
    BOOST_TEST(credentials("a").activated_generation == 2U);
}

BOOST_AUTO_TEST_CASE(a_due_rotation_begins_at_its_stored_moment) {
    tick(link);
    BOOST_TEST(link.calls.empty());
    BOOST_TEST((link.progress().attend_at == *credentials("a").rotate_at));
    clock.advance(std::chrono::days{5});
    tick(link);
    BOOST_TEST(link.count("agent.rotate") == 1U);
    BOOST_TEST((database->rotations.at(credentials("a").pending->rotation_id).cause ==
                RotationCause::schedule));
}

BOOST_AUTO_TEST_CASE(a_tick_that_cannot_read_looks_again_later) {
    link.progress().attend_at = clock.now();
    store.stop();
    tick(link);
    BOOST_TEST((link.progress().attend_at == clock.now() + 60s));
}

BOOST_AUTO_TEST_CASE(the_schedule_keeps_to_rotation_concurrency) {
    change_settings([](SettingValues& values) { values.rotation_concurrency = 1; });
    enrolled_agent("b");
    enrolled_agent("c");
    FakeLink& b = agents.connect("b", 1);
    FakeLink& c = agents.connect("c", 1);
    clock.advance(std::chrono::days{6});
    for (FakeLink* one : {&link, &b, &c}) coordinator.on_tick(*one);
    queue.run();
    BOOST_TEST(link.calls.size() + b.calls.size() + c.calls.size() == 1U);
    BOOST_TEST(link.calls.size() == 1U);
    // A silent peer holds its place for its time-out and no longer.
    time_out(link.offer());
    BOOST_TEST(b.count("agent.rotate") == 1U);
    BOOST_TEST(c.calls.empty());
    agents.disconnect("b");
    queue.run();
    BOOST_TEST(c.count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(what_an_admin_starts_keeps_to_rotation_concurrency_and_says_so) {
    change_settings([](SettingValues& values) { values.rotation_concurrency = 1; });
    enrolled_agent("b");
    enrolled_agent("c");
    FakeLink& b = agents.connect("b", 1);
    FakeLink& c = agents.connect("c", 1);
    BOOST_TEST((start("a")->status == RotationStatus::offered));
    for (const char* agent_id : {"b", "c"}) {
        const auto view = start(agent_id, RotationCause::emergency);
        BOOST_TEST((view->status == RotationStatus::queued));
        BOOST_TEST(view->rotation_id.has_value());
        BOOST_TEST((start(agent_id)->status == RotationStatus::queued));
    }
    BOOST_TEST(link.calls.size() + b.calls.size() + c.calls.size() == 1U);
    // Whoever is silent holds its place for its time-out and no longer.
    time_out(link.offer());
    BOOST_TEST(b.count("agent.rotate") == 1U);
    BOOST_TEST(credentials("b").pending->attempts == 1U);
    BOOST_TEST((start("b")->status == RotationStatus::offered));
    BOOST_TEST((start("c")->status == RotationStatus::queued));
    finish(b);
    BOOST_TEST(c.count("agent.rotate") == 1U);
    finish(c);
    BOOST_TEST(credentials("c").activated_generation == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_queued_and_reconnects_is_offered_at_once_and_not_twice) {
    change_settings([](SettingValues& values) { values.rotation_concurrency = 1; });
    enrolled_agent("b");
    enrolled_agent("c");
    agents.connect("b", 1);
    agents.connect("c", 1);
    for (const char* agent_id : {"a", "b", "c"}) BOOST_TEST(start(agent_id).has_value());
    agents.disconnect("b");
    agents.disconnect("c");
    BOOST_TEST((start("b")->status == RotationStatus::at_next_connect));
    BOOST_TEST(start("b")->rotation_id.has_value());
    FakeLink& back = agents.connect("b", 1);
    ready(back);
    BOOST_TEST(back.count("agent.rotate") == 1U);
    BOOST_TEST((start("b")->status == RotationStatus::offered));
    finish(back);
    finish(link);
    BOOST_TEST(back.count("agent.rotate") == 1U);
    // The one that stayed away took nobody's place.
    BOOST_TEST((start("b", RotationCause::emergency)->status == RotationStatus::offered));
}

BOOST_AUTO_TEST_CASE(the_status_of_a_pending_token_is_the_same_word_for_all) {
    start("a");
    BOOST_TEST((start("a")->status == RotationStatus::offered));
    answer(link.offer(), link.failed(link.offer(), "disk_full"));
    BOOST_TEST((start("a")->status == RotationStatus::failing));
    agents.disconnect("a");
    const auto away = start("a");
    BOOST_TEST((away->status == RotationStatus::at_next_connect));
    BOOST_TEST(away->already_pending);
    BOOST_TEST(*away->generation == 2U);
    BOOST_TEST((coordinator.pending_status("a", *credentials("a").pending) ==
                RotationStatus::at_next_connect));
    // No wish beside it: it is that one again.
    BOOST_TEST(!credentials("a").requested);
}

BOOST_AUTO_TEST_CASE(what_waited_for_a_place_and_went_offline_blocks_nobody) {
    change_settings([](SettingValues& values) { values.rotation_concurrency = 1; });
    enrolled_agent("b");
    enrolled_agent("c");
    FakeLink& b = agents.connect("b", 1);
    FakeLink& c = agents.connect("c", 1);
    clock.advance(std::chrono::days{6});
    for (FakeLink* one : {&link, &b, &c}) coordinator.on_tick(*one);
    queue.run();
    agents.disconnect("b");
    finish(link);
    BOOST_TEST(c.count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(a_sweep_retires_what_is_due_and_closes_its_sockets) {
    start("a");
    finish(link);
    FakeLink& old = agents.connect("a", 1);  // still on the token that is retired
    clock.advance(4min);
    coordinator.sweep();
    queue.run();
    BOOST_TEST(credentials("a").previous.has_value());
    clock.advance(2min);
    coordinator.sweep();
    queue.run();
    BOOST_TEST(!credentials("a").previous);
    BOOST_TEST(old.closed_with == 4004U);
    BOOST_TEST(database->tombstones.size() == 1U);
    BOOST_TEST(audited("rotation.retired") == 1U);
    // And again, with nothing due.
    coordinator.sweep();
    queue.run();
    BOOST_TEST(audited("rotation.retired") == 1U);
}

BOOST_AUTO_TEST_CASE(a_sweep_leaves_those_alone_who_moved_on) {
    start("a");
    finish(link);
    clock.advance(6min);
    coordinator.sweep();
    queue.run();
    BOOST_TEST(!credentials("a").previous);
    BOOST_TEST(link.closed_with == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
