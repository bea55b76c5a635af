// The audit against the real rekeyd: what somebody does to its database by hand is found, by the
// server and on an export.
#include "tests/support/agent_stage.hpp"
#include "tests/support/by_hand.hpp"
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Fixture {
    Rekeyd server;
    TemporaryDirectory home;
    std::string exported = home.file("audit.jsonl");

    Finished ctl(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {ctl_program(), "--data-dir", server.directory()});
        return run(std::move(arguments));
    }
    // Some rows.
    void live() const {
        for (const char* name : {"a", "b", "c", "d"}) static_cast<void>(server.new_agent(name));
    }
    void tamper(const std::string& sql) {
        BOOST_REQUIRE_EQUAL(server.stop(), 0);
        const Finished done = run({"sqlite3", server.directory() + "/rekey.db", sql});
        BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.output);
        server.start();
    }
    // What the server says, and what is found in its export without it.
    void expect_broken(const std::string& words) {
        const Finished there = ctl({"audit", "verify"});
        BOOST_TEST(there.exit_code == 1, there.output);
        BOOST_TEST(there.output.find(words) != std::string::npos, there.output);
        export_to_file();
        const Finished here = run({ctl_program(), "audit", "verify", exported});
        BOOST_TEST(here.exit_code == 1, here.output);
        BOOST_TEST(here.output.find(words) != std::string::npos, here.output);
    }
    void expect_verified() {
        const Finished there = ctl({"audit", "verify"});
        BOOST_TEST(there.exit_code == 0, there.output);
        export_to_file();
        const Finished here = run({ctl_program(), "audit", "verify", exported});
        BOOST_TEST(here.exit_code == 0, here.output);
    }
    void export_to_file() const {
        const Finished done = ctl({"audit", "export"});
        BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.output);
        std::ofstream(exported) << done.output;
    }
    [[nodiscard]] json::object verify() const { return server.call("audit.verify").as_object(); }
    [[nodiscard]] json::array entries(const json::object& filter) const {
        return server.call("audit.query", filter).at("entries").as_array();
    }
};

std::uint64_t number(const json::object& object, std::string_view name) {
    return object.at(name).to_number<std::uint64_t>();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_tests, Fixture)

BOOST_AUTO_TEST_CASE(an_honest_trail_is_verified_there_and_here) {
    live();
    expect_verified();
    const json::object before = verify();
    BOOST_TEST(before.at("verified").as_bool());
    BOOST_TEST(number(before, "rows") > 8U);
    BOOST_TEST(number(before, "first_seq") == 1U);
    // Its end is signed when it stops, and the trail goes on when it starts.
    tamper("SELECT 1");
    static_cast<void>(server.new_agent("later"));
    expect_verified();
    const json::object after = verify();
    BOOST_TEST(number(after, "checkpoints") > number(before, "checkpoints"));
    // From a head that was noted, there and here.
    const std::string head = std::to_string(number(before, "last_seq")) + ":" +
                             std::string(before.at("head_hash").as_string());
    BOOST_TEST(ctl({"audit", "verify", "--head", head}).exit_code == 0);
    BOOST_TEST(run({ctl_program(), "audit", "verify", exported, "--head", head}).exit_code == 0);
    const Finished part = ctl({"audit", "export", "--from", "2999-01-01T00:00:00Z"});
    std::ofstream(exported) << part.output;
    const Finished verified = run({ctl_program(), "audit", "verify", exported});
    BOOST_TEST(verified.exit_code == 0, verified.output);
}

BOOST_AUTO_TEST_CASE(an_altered_row_is_found) {
    live();
    tamper("UPDATE audit SET actor = 'nobody' WHERE seq = 5");
    expect_broken("BROKEN at row 5: altered");
}

BOOST_AUTO_TEST_CASE(a_deleted_row_is_found) {
    live();
    tamper("DELETE FROM audit WHERE seq BETWEEN 4 AND 5");
    expect_broken("BROKEN at row 4: missing");
}

BOOST_AUTO_TEST_CASE(rows_that_changed_places_are_found) {
    live();
    tamper(
        "UPDATE audit SET seq = 9999 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; "
        "UPDATE audit SET seq = 5 WHERE seq = 9999");
    expect_broken("BROKEN at row 4: altered");
}

// The server writes on behind what it finds; what was signed before tells.
BOOST_AUTO_TEST_CASE(a_tail_that_was_cut_off_is_found) {
    live();
    tamper("DELETE FROM audit WHERE seq > 6");
    expect_broken("BROKEN at row ");
}

BOOST_AUTO_TEST_CASE(a_front_that_was_cut_off_is_found) {
    live();
    tamper("DELETE FROM audit WHERE seq <= 3");
    expect_broken("BROKEN at row 3: missing");
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_was_changed_is_found) {
    live();
    tamper("UPDATE audit_checkpoints SET hash = zeroblob(32)");
    expect_broken("bad_checkpoint");
}

// An export does not depend on its server's honesty, if the head and the key were noted.
BOOST_AUTO_TEST_CASE(an_export_is_verified_with_keys_that_were_kept) {
    live();
    export_to_file();
    std::ifstream file(exported);
    std::string header;
    std::getline(file, header);
    const std::string keys = home.file("keys.json");
    std::ofstream(keys) << json::serialize(json::parse(header).at("header").at("keys"));
    BOOST_TEST(run({ctl_program(), "audit", "verify", exported, "--jwks", keys}).exit_code == 0);
    Rekeyd other;
    const Finished foreign =
        run({ctl_program(), "--data-dir", other.directory(), "audit", "export"});
    std::ofstream(exported) << foreign.output;
    const Finished refused = run({ctl_program(), "audit", "verify", exported, "--jwks", keys});
    BOOST_TEST(refused.exit_code == 1);
    BOOST_TEST(refused.output.find("bad_checkpoint") != std::string::npos, refused.output);
}

// Also of a server that has signed nothing yet.
BOOST_AUTO_TEST_CASE(an_export_ends_at_a_checkpoint) {
    live();
    export_to_file();
    std::vector<std::string> lines;
    std::ifstream file(exported);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    BOOST_REQUIRE(lines.size() > 8U);
    const json::object end = json::parse(lines.back()).at("end").as_object();
    std::set<std::uint64_t> signed_places;
    std::vector<json::object> rows;
    for (const std::string& line : lines) {
        const json::object object = json::parse(line).as_object();
        if (const auto* place = object.if_contains("checkpoint"))
            signed_places.insert(number(place->as_object(), "seq"));
        if (const auto* row = object.if_contains("row")) rows.push_back(row->as_object());
    }
    BOOST_REQUIRE(rows.size() > 2U);
    BOOST_TEST(signed_places.contains(number(end, "last_seq")));
    // Whoever cuts off the newest row, and says so at the end, is found.
    const json::object& kept = rows[rows.size() - 2];
    BOOST_REQUIRE(lines[lines.size() - 2].starts_with(R"({"row")"));
    lines.erase(lines.end() - 2);
    lines.back() =
        json::serialize(json::object{{"end", json::object{{"rows", number(end, "rows") - 1},
                                                          {"last_seq", kept.at("seq")},
                                                          {"last_hash", kept.at("hash")}}}});
    std::ofstream cut(exported);
    for (const std::string& line : lines) cut << line << "\n";
    cut.close();
    const Finished found = run({ctl_program(), "audit", "verify", exported});
    BOOST_TEST(found.exit_code == 1, found.output);
    BOOST_TEST(found.output.find("truncated") != std::string::npos, found.output);
    // The next one signs what came since, and only that.
    const auto before = number(verify(), "checkpoints");
    static_cast<void>(server.new_agent("later"));
    export_to_file();
    export_to_file();
    BOOST_TEST(number(verify(), "checkpoints") == before + 1);
}

BOOST_AUTO_TEST_CASE(rows_are_found_by_who_what_when_and_how_it_ended) {
    const auto created = server.new_agent("a");
    static_cast<void>(server.new_agent("b"));
    const std::string& id = created.agent_id;
    BOOST_TEST(entries({{"agent_id", id}}).size() == 2U);
    const json::array by_subject = entries({{"subject", id}, {"action", "agent.*"}});
    BOOST_REQUIRE(by_subject.size() == 1U);
    const json::object& row = by_subject[0].as_object();
    const std::string admin(row.at("actor").as_string());
    BOOST_TEST(row.at("details").at("address").as_string() == "127.0.0.1");
    BOOST_TEST(entries({{"agent_id", admin}, {"action", "agent.created"}}).size() >= 2U);
    BOOST_TEST(entries({{"subject", admin}, {"action", "agent.*"}}).empty());
    const json::string& time = row.at("time").as_string();
    BOOST_TEST(entries({{"from", time}, {"subject", id}}).size() == 2U);
    BOOST_TEST(entries({{"until", time}, {"subject", id}}).empty());
    BOOST_TEST(server.try_call("agents.create", {{"name", "a"}}).has_error());
    BOOST_TEST(entries({{"outcome", "already_exists"}}).size() == 1U);
    // By REST as well.
    net::HttpCall call{.method = "GET", .target = "/audit?subject=" + id + "&limit=1"};
    call.headers.emplace_back("X-API-Key", Secret(server.admin_key()));
    const net::HttpResponse response = server.http(call);
    BOOST_TEST(response.status == 200U);
    BOOST_TEST(json::parse(response.body).at("entries").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(refused_authentications_are_counted_and_written_when_it_stops) {
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(server.post("/rpc", "{}", "rkk_nonsense").status == 401U);
    const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    const std::string other = Rekeyd().admin_key();
    for (int i = 0; i < 3; ++i) BOOST_TEST(server.post("/rpc", request, other).status == 401U);
    BOOST_TEST(entries({{"action", "auth.refused"}}).empty());
    tamper("SELECT 1");
    const json::array rows = entries({{"action", "auth.refused"}});
    BOOST_REQUIRE(rows.size() == 2U);
    for (const json::value& one : rows) {
        const json::object& row = one.as_object();
        const json::object& details = row.at("details").as_object();
        BOOST_TEST(row.at("outcome").as_string() == "unknown_credential");
        BOOST_TEST(details.at("address").as_string() == "127.0.0.1");
        BOOST_TEST(details.at("door").as_string() == "admin");
        const bool malformed = row.at("subject").as_string() == "unknown";
        BOOST_TEST(number(details, "count") == (malformed ? 5U : 3U));
        // Nothing of what was shown is kept but a well-formed id.
        const std::string text = json::serialize(one);
        BOOST_TEST(text.find("nonsense") == std::string::npos);
        BOOST_TEST(text.find(other.substr(other.rfind('_'))) == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_refused_names_its_key_and_a_forged_one_nobody) {
    const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    const auto agent = server.call("agents.create", {{"name", "a"}});
    const json::value& agent_id = agent.at("agent_id");
    const auto key = server.call("keys.create", {{"agent_id", agent_id}, {"name", "k"}});
    const std::string text(key.at("key").as_string());
    const json::value made = json::parse(server.post("/auth/token", "", text).body);
    const std::string token(made.at("access_token").as_string());
    BOOST_TEST(server.post("/rpc", request, token).status == 200U);
    static_cast<void>(server.call("agents.suspend", {{"agent_id", agent_id}}));
    BOOST_TEST(server.post("/rpc", request, token).status == 403U);
    BOOST_TEST(server.post("/rpc", request, token + "x").status == 401U);
    tamper("SELECT 1");
    std::map<std::string, std::string> outcomes;
    for (const json::value& one : entries({{"action", "auth.refused"}}))
        outcomes.emplace(one.at("subject").as_string(), one.at("outcome").as_string());
    const std::map<std::string, std::string> expected{
        {std::string(key.at("key_id").as_string()), "agent_suspended"},
        {"unknown", "unknown_credential"}};
    BOOST_TEST((outcomes == expected));
}

BOOST_AUTO_TEST_CASE(keys_that_are_tried_for_a_token_are_told_from_those_of_calls) {
    BOOST_TEST(server.post("/auth/token", "", "rkk_nonsense").status == 401U);
    BOOST_TEST(server.post("/rpc", "{}", "rkk_nonsense").status == 401U);
    tamper("SELECT 1");
    std::set<std::string> doors;
    for (const json::value& one : entries({{"action", "auth.refused"}}))
        doors.emplace(one.at("details").at("door").as_string());
    BOOST_TEST((doors == std::set<std::string>{"admin", "token"}));
}

BOOST_AUTO_TEST_SUITE_END()
