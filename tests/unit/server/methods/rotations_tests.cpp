#include "base/time_format.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

struct Fixture : DoorWorld {
    // On generation 1, activated.
    std::string settled_agent(const std::string& name) {
        const auto agent_id = create_agent(name);
        change_row(agent_id, [&](storage::AgentRow& row) {
            row.credentials.next_generation = 2;
            row.credentials.activated_generation = 1;
            row.credentials.current =
                storage::CurrentToken{.generation = 1,
                                      .rotation_id = make_uuid_v7(clock, random),
                                      .issued_at = clock.now()};
        });
        return agent_id;
    }
    // As the dispatcher calls it, once it has read who calls: what happens to the caller from here
    // on is for the handler to see.
    Result<boost::json::value> call_after_the_check(const rpc::Caller& caller,
                                                    std::string_view method,
                                                    const boost::json::value& params) {
        const rpc::Route* route = registry.find(method);
        BOOST_REQUIRE(route != nullptr);
        auto prepared = route->decode(&params);
        BOOST_REQUIRE(prepared.has_value());
        const auto done = run((*prepared)->run(caller));
        if (done.has_error()) return done.error();
        return rekey::server::testing::parse((*prepared)->result());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rotations_tests, Fixture)

BOOST_AUTO_TEST_CASE(an_offline_agent_is_not_minted_for_and_its_wish_can_be_cancelled) {
    const auto agent_id = settled_agent("a");
    const auto started = ok(admin, "rotations.start", {{"agent_id", agent_id}});
    BOOST_TEST(text(started, "status") == "at_next_connect");
    BOOST_TEST(!started.contains("rotation_id"));
    BOOST_TEST(row(agent_id).credentials.requested.has_value());
    const auto cancelled = ok(admin, "rotations.cancel", {{"agent_id", agent_id}});
    BOOST_TEST(text(cancelled, "status") == "cancelled");
    BOOST_TEST(!row(agent_id).credentials.requested.has_value());
    BOOST_TEST((refused(admin, "rotations.cancel", {{"agent_id", agent_id}}) == Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_connected_agent_gets_its_offer_and_a_second_start_is_the_same) {
    const auto agent_id = settled_agent("a");
    const auto session = connect(agent_id, 1);
    const auto started = ok(admin, "rotations.start", {{"agent_id", agent_id}});
    BOOST_TEST(text(started, "status") == "offered");
    BOOST_TEST(started.at("generation").to_number<int>() == 2);
    const auto again = ok(admin, "rotations.start", {{"agent_id", agent_id}});
    BOOST_TEST(text(again, "rotation_id") == text(started, "rotation_id"));
    BOOST_TEST(again.at("already_pending").as_bool());

    const boost::json::object named{{"rotation_id", text(started, "rotation_id")}};
    const auto got = ok(admin, "rotations.get", named);
    BOOST_TEST(text(got, "status") == "offered");
    BOOST_TEST(text(got, "cause") == "admin");
    BOOST_TEST(text(got, "actor") == admin.agent_id);
    // It may have been saved.
    BOOST_TEST((refused(admin, "rotations.cancel", named) == Code::wrong_state));
    const auto shown = ok(admin, "agents.get", {{"agent_id", agent_id}});
    BOOST_TEST(text(shown.at("pending").as_object(), "rotation_id") ==
               text(started, "rotation_id"));
}

BOOST_AUTO_TEST_CASE(what_a_rotation_needed_is_shown_when_it_is_over) {
    const auto agent_id = settled_agent("a");
    const auto session = connect(agent_id, 1);
    const auto started = ok(admin, "rotations.start", {{"agent_id", agent_id}});
    const auto pending = *row(agent_id).credentials.pending;
    change_row(agent_id, [](storage::AgentRow& row) { row.credentials.pending.reset(); });
    static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(transaction.rotations().mark_committed(pending.rotation_id, clock.now(),
                                                         {3, pending.offered_at, "timeout"}));
        return true;
    }));
    for (const auto& shown :
         {ok(admin, "rotations.get", {{"rotation_id", pending.rotation_id}}),
          ok(admin, "rotations.list").at("rotations").as_array().at(0).as_object()}) {
        BOOST_TEST(text(shown, "status") == "committed");
        BOOST_TEST(shown.at("attempts").to_number<int>() == 3);
        BOOST_TEST(text(shown, "last_reason") == "timeout");
        BOOST_TEST(shown.contains("offered_at"));
    }
}

BOOST_AUTO_TEST_CASE(many_at_once_each_with_its_own_answer) {
    const auto a = settled_agent("a");
    const auto b = settled_agent("b");
    const auto never = create_agent("never-enrolled");
    const auto unknown = make_uuid_v7(clock, random);
    const boost::json::object some{{"agent_ids", {a, never, unknown}}};
    const auto answer = ok(admin, "rotations.start", some);
    const auto& rotations = answer.at("rotations").as_array();
    BOOST_REQUIRE(rotations.size() == 3U);
    BOOST_TEST(text(rotations[0].as_object(), "status") == "at_next_connect");
    BOOST_TEST(rotations[1].at("error").at("name").as_string() == "wrong_state");
    BOOST_TEST(rotations[2].at("error").at("name").as_string() == "not_found");
    // All: those that have something to rotate.
    const auto all = ok(admin, "rotations.start", {{"all", true}});
    BOOST_TEST(all.at("rotations").as_array().size() == 2U);
    BOOST_TEST(row(b).credentials.requested.has_value());
}

BOOST_AUTO_TEST_CASE(a_caller_who_may_no_more_since_the_check_starts_nothing) {
    const auto here = settled_agent("here");
    const auto away = settled_agent("away");
    const auto session = connect(here, 1);
    const auto operator_ = identity("operator", {"rotations:write"});
    const auto suspended = identity("suspended", {"rotations:write"});
    const auto revoked = identity("revoked", {"rotations:write"});
    static_cast<void>(ok(admin, "agents.suspend", {{"agent_id", suspended.agent_id}}));
    static_cast<void>(ok(admin, "agents.revoke", {{"agent_id", revoked.agent_id}}));
    for (const auto& caller : {suspended, revoked}) {
        for (const auto& agent_id : {here, away}) {
            const auto answer =
                call_after_the_check(caller, "rotations.start", {{"agent_id", agent_id}});
            BOOST_TEST(answer.has_error());
        }
        for (const boost::json::object& many : {boost::json::object{{"agent_ids", {here, away}}},
                                                boost::json::object{{"all", true}}}) {
            const auto answer = call_after_the_check(caller, "rotations.start", many);
            BOOST_REQUIRE(answer.has_value());
            for (const auto& entry : answer->at("rotations").as_array())
                BOOST_TEST(entry.as_object().contains("error"));
        }
    }
    for (const auto& agent_id : {here, away}) {
        BOOST_TEST(!row(agent_id).credentials.pending.has_value());
        BOOST_TEST(!row(agent_id).credentials.requested.has_value());
    }
    BOOST_TEST(
        call_after_the_check(operator_, "rotations.start", {{"agent_id", here}}).has_value());
}

BOOST_AUTO_TEST_CASE(within_the_grace_each_row_says_so_and_until_when) {
    const Time over = clock.now() + std::chrono::minutes{5};
    const auto in_grace = [&](const std::string& name) {
        const auto agent_id = settled_agent(name);
        change_row(agent_id, [&](storage::AgentRow& row) {
            row.credentials.next_generation = 3;
            row.credentials.previous =
                storage::PreviousToken{.generation = 1, .retire_after = over};
        });
        return agent_id;
    };
    const auto here = in_grace("here");
    in_grace("away");
    const auto session = connect(here, 1);
    const auto all = ok(admin, "rotations.start", {{"all", true}});
    BOOST_REQUIRE(all.at("rotations").as_array().size() == 2U);
    for (const auto& entry : all.at("rotations").as_array()) {
        BOOST_TEST(text(entry.as_object(), "status") == "in_grace");
        BOOST_TEST(text(entry.as_object(), "not_before") == to_rfc3339(over));
        BOOST_TEST(entry.at("error").at("name").as_string() == "wrong_state");
        BOOST_TEST(!entry.as_object().contains("rotation_id"));
    }
    BOOST_TEST((refused(admin, "rotations.start", {{"agent_id", here}}) == Code::wrong_state));
    const auto forced = ok(admin, "rotations.start", {{"agent_ids", {here}}, {"force", true}});
    const auto& begun = forced.at("rotations").at(0).as_object();
    BOOST_TEST(text(begun, "status") == "offered");
    BOOST_TEST(!begun.contains("not_before"));
}

BOOST_AUTO_TEST_CASE(an_agent_that_went_away_with_an_offer_is_at_next_connect_everywhere) {
    const auto agent_id = settled_agent("a");
    const auto session = connect(agent_id, 1);
    const auto started = ok(admin, "rotations.start", {{"agent_id", agent_id}});
    sessions.set_ready(agent_id, session->connection_generation(), false);
    const boost::json::object named{{"rotation_id", text(started, "rotation_id")}};
    const auto again = ok(admin, "rotations.start", {{"agent_ids", {agent_id}}});
    const auto listed = ok(admin, "rotations.list", {{"status", "at_next_connect"}});
    BOOST_REQUIRE(listed.at("rotations").as_array().size() == 1U);
    for (const boost::json::object& shown :
         {again.at("rotations").at(0).as_object(), ok(admin, "rotations.get", named),
          ok(admin, "rotations.start", {{"agent_id", agent_id}}),
          listed.at("rotations").at(0).as_object()}) {
        BOOST_TEST(text(shown, "status") == "at_next_connect");
        BOOST_TEST(text(shown, "rotation_id") == text(started, "rotation_id"));
    }
}

BOOST_AUTO_TEST_CASE(exactly_one_selector) {
    const auto a = settled_agent("a");
    BOOST_TEST((refused(admin, "rotations.start") == Code::invalid_params));
    const boost::json::object both{{"agent_id", a}, {"all", true}};
    BOOST_TEST((refused(admin, "rotations.start", both) == Code::invalid_params));
    const boost::json::array too_many(limits::kAgentsARequest + 1, boost::json::value(a));
    BOOST_TEST(
        (refused(admin, "rotations.start", {{"agent_ids", too_many}}) == Code::invalid_params));
    BOOST_TEST(ok(admin, "rotations.start", {{"agent_ids", boost::json::array()}})
                   .at("rotations")
                   .as_array()
                   .empty());
    BOOST_TEST((refused(admin, "rotations.cancel") == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(list_newest_first_by_agent_and_status) {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) {
        const auto agent_id = settled_agent("a" + std::to_string(i));
        const auto session = connect(agent_id, 1);
        clock.advance(Milliseconds{1});
        ids.push_back(text(ok(admin, "rotations.start", {{"agent_id", agent_id}}), "rotation_id"));
    }
    const auto first = ok(admin, "rotations.list", {{"limit", 2}});
    const auto& page = first.at("rotations").as_array();
    BOOST_REQUIRE(page.size() == 2U);
    BOOST_TEST(text(page[0].as_object(), "rotation_id") == ids[2]);
    const auto rest =
        ok(admin, "rotations.list", {{"limit", 2}, {"cursor", text(first, "next_cursor")}});
    BOOST_TEST(rest.at("rotations").as_array().size() == 1U);
    BOOST_TEST(!rest.contains("next_cursor"));
    BOOST_TEST(
        ok(admin, "rotations.list", {{"status", "offered"}}).at("rotations").as_array().size() ==
        3U);
    BOOST_TEST(
        ok(admin, "rotations.list", {{"status", "activated"}}).at("rotations").as_array().empty());
}

BOOST_AUTO_TEST_SUITE_END()
