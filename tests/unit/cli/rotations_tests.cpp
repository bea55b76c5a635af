#include "fake_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;
using protocol::RotationsCancel;

namespace {

protocol::RotationView view() {
    protocol::RotationView rotation;
    rotation.agent_id = id_of(1);
    rotation.rotation_id = id_of(9);
    rotation.generation = 4;
    rotation.status = protocol::RotationStatus::failing;
    rotation.attempts = 3;
    rotation.last_reason = "disk_full";
    rotation.cause = "schedule";
    rotation.started_at = Time{Milliseconds{1'794'999'000'000}};
    return rotation;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rotations_tests, Rekeyctl)

BOOST_AUTO_TEST_CASE(a_list_shows_names_reasons_and_dates) {
    server.hold({agent(1, "web-1")});
    protocol::RotationsList::Params asked;
    server.on<protocol::RotationsList>([&](const protocol::RotationsList::Params& params) {
        asked = params;
        protocol::RotationsList::Result page;
        page.rotations.push_back(view());
        return page;
    });
    BOOST_TEST((run({"rotations", "list", "--agent", "web-1", "--status", "failing", "--limit",
                     "5"}) == ExitCode::ok));
    BOOST_TEST(asked.agent_id.value_or("") == id_of(1));
    BOOST_TEST((asked.status == protocol::RotationStatus::failing));
    BOOST_TEST(asked.limit == 5);
    for (const std::string_view words : {"web-1", "failing (disk_full)", "(16m ago)", "schedule"})
        BOOST_TEST(out.str().find(words) != std::string::npos, words);
    BOOST_TEST((run({"rotations", "list", "--status", "odd"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(a_key_that_may_not_read_agents_sees_their_ids) {
    server.on<protocol::RotationsList>([](const protocol::RotationsList::Params&) {
        protocol::RotationsList::Result page;
        page.rotations.push_back(view());
        return page;
    });
    BOOST_TEST((run({"rotations", "list"}) == ExitCode::ok));
    BOOST_TEST(out.str().find(id_of(1)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_is_shown_in_full) {
    server.on<protocol::RotationsGet>([](const protocol::RotationsGet::Params& params) {
        BOOST_TEST(params.rotation_id == id_of(9));
        return view();
    });
    BOOST_TEST((run({"rotations", "get", id_of(9)}) == ExitCode::ok));
    BOOST_TEST(out.str().find("last reason  disk_full") != std::string::npos);
    BOOST_TEST((run({"rotations", "get", "web-1"}) == ExitCode::usage));
    BOOST_TEST(err.str().find("rotations list --agent web-1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(cancel_takes_a_name_a_rotation_or_an_agent_id) {
    server.hold({agent(1, "web-1")});
    server.on<RotationsCancel>(
        [](const RotationsCancel::Params& params) -> Result<RotationsCancel::Result> {
            if (params.rotation_id == id_of(9) || params.agent_id == id_of(1))
                return RotationsCancel::Result{protocol::Cancelled::cancelled, id_of(1)};
            return Error(Code::not_found);
        });
    for (const std::string& what : {std::string("web-1"), id_of(9), id_of(1)})
        BOOST_TEST((run({"rotations", "cancel", what}) == ExitCode::ok), what);
    BOOST_TEST((run({"rotations", "cancel", id_of(5)}) == ExitCode::failure));
}

BOOST_AUTO_TEST_CASE(an_offered_token_cannot_be_cancelled_and_it_says_why) {
    server.hold({agent(1, "web-1")});
    server.on<RotationsCancel>(
        [](const RotationsCancel::Params&) -> Result<RotationsCancel::Result> {
            return Error(Code::wrong_state, "it was offered");
        });
    BOOST_TEST((run({"rotations", "cancel", "web-1"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("may have been saved") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
