#include "fake_server.hpp"
#include "protocol/methods/auth.hpp"
#include "protocol/methods/keys.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

protocol::ApiKeyView key(unsigned number, const std::string& name, bool works) {
    protocol::ApiKeyView view;
    view.key_id = id_of(number);
    view.name = name;
    view.works = works;
    return view;
}

struct Keys : Rekeyctl {
    Keys() {
        server.hold({agent(1, "ci")});
        server.on<protocol::KeysList>([](const auto&) -> Result<protocol::KeysList::Result> {
            return protocol::KeysList::Result{{key(21, "deploys", false), key(22, "deploys", true),
                                               key(23, "twice", true), key(24, "twice", true)}};
        });
        server.on<protocol::KeysRotate>([](const auto&) -> Result<protocol::RotatedKey> {
            protocol::RotatedKey rotated;
            rotated.key_id = id_of(30);
            rotated.key = Secret("rkk_new");
            return rotated;
        });
    }
    std::string sent() { return boost::json::serialize(server.calls().back().params); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keys_tests, Keys)

BOOST_AUTO_TEST_CASE(a_key_is_made_with_what_was_asked_for) {
    server.on<protocol::KeysCreate>([](const auto& params) {
        protocol::KeysCreate::Result made;
        made.key_id = id_of(30);
        made.agent_id = params.agent_id;
        made.name = params.name;
        made.key = Secret("rkk_once");
        made.capabilities = params.capabilities;
        return Result<protocol::KeysCreate::Result>(made);
    });
    BOOST_TEST((run({"keys", "create", "ci", "deploys", "--capability", "agents:read",
                     "--capability", "audit:read", "--days", "1"}) == ExitCode::ok));
    BOOST_TEST(out.str().find("rkk_once") != std::string::npos);
    BOOST_TEST(sent() == R"({"agent_id":")" + id_of(1) +
                             R"(","name":"deploys","capabilities":["agents:read","audit:read"],)"
                             R"("expires_at":"2026-11-19T11:06:40.000Z"})");
    out.str({});
    BOOST_TEST((run({"keys", "create", "ci", "deploys", "-q"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "rkk_once\n");
}

BOOST_AUTO_TEST_CASE(a_key_is_named_by_id_or_by_the_name_of_the_only_one_that_works) {
    BOOST_TEST(
        (run({"keys", "rotate", "ci", "deploys", "--grace-hours", "0", "-q"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "rkk_new\n");
    BOOST_TEST(sent().find(id_of(22)) != std::string::npos);
    BOOST_TEST(sent().find(R"("grace_period_hours":0)") != std::string::npos);
    BOOST_TEST((run({"keys", "rotate", "ci", id_of(24)}) == ExitCode::ok));
    BOOST_TEST(sent().find(id_of(24)) != std::string::npos);
    BOOST_TEST((run({"keys", "rotate", "ci", "twice"}) != ExitCode::ok));
    BOOST_TEST(err.str().find("more than one key") != std::string::npos);
    BOOST_TEST((run({"keys", "rotate", "ci", "nothing"}) == ExitCode::failure));
}

BOOST_AUTO_TEST_CASE(a_list_shows_states_and_a_revoke_what_became) {
    BOOST_TEST((run({"keys", "list", "ci"}) == ExitCode::ok));
    BOOST_TEST(out.str().find("over") != std::string::npos);
    BOOST_TEST(out.str().find("works") != std::string::npos);
    server.on<protocol::KeysRevoke>([](const auto& params) {
        protocol::ApiKeyView view = key(22, "deploys", false);
        view.key_id = params.key_id;
        view.revoked_at = Time{};
        return Result<protocol::ApiKeyView>(view);
    });
    out.str({});
    BOOST_TEST((run({"keys", "revoke", "ci", "deploys"}) == ExitCode::ok));
    BOOST_TEST(out.str().find("revoked") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_token_is_printed_alone) {
    server.on<protocol::AuthToken>([](const auto&) {
        protocol::AccessToken token;
        token.access_token = Secret("a.b.c");
        token.expires_in = 1800;
        return Result<protocol::AccessToken>(token);
    });
    BOOST_TEST((run({"token"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "a.b.c\n");
}

BOOST_AUTO_TEST_SUITE_END()
