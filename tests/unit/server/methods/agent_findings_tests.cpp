#include "server/methods/agent_findings.hpp"
#include "server/rotation/reuse.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::methods;
using namespace std::chrono_literals;
using protocol::FindingLevel;
using storage::AgentStatus;

BOOST_AUTO_TEST_SUITE(agent_findings_tests)

namespace {

constexpr Time kNow{std::chrono::days{20000}};

// Enrolled, on generation 2, activated, offline.
storage::AgentRow make_row() {
    storage::AgentRow row;
    row.enrolled_at = kNow - 48h;
    row.last_seen_at = kNow - 1h;
    row.last_address = "192.0.2.7";
    row.credentials.next_generation = 3;
    row.credentials.activated_generation = 2;
    row.credentials.current = storage::CurrentToken{2, "r2", Bytes32{2}, kNow - 24h, kNow + 24h};
    return row;
}

sessions::SessionFacts session() {
    sessions::SessionFacts facts;
    facts.remote_address = "192.0.2.7:4000";
    facts.bound_generation = 2;
    return facts;
}

std::vector<protocol::Finding> found(const storage::AgentRow& row,
                                     std::optional<sessions::SessionFacts> facts = {},
                                     std::vector<storage::AuditEvent> recent = {}) {
    return findings({.row = row,
                     .session = std::move(facts),
                     .recent = std::move(recent),
                     .policy = {.backoff_unit = 60s},
                     .now = kNow});
}

std::string names(const std::vector<protocol::Finding>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : " ") + one.name;
    return text;
}

bool says(const protocol::Finding& finding, std::string_view words) {
    return finding.text.find(words) != std::string::npos;
}

storage::Sighting sighting() { return {kNow - 5min, 1, "198.51.100.9", "192.0.2.7:4000", {}}; }

}  // namespace

BOOST_AUTO_TEST_CASE(an_agent_that_is_well_says_so) {
    const auto all = found(make_row(), session());
    BOOST_TEST(names(all) == "connected");
    BOOST_TEST((all[0].level == FindingLevel::ok));
    BOOST_TEST(says(all[0], "192.0.2.7:4000"));
}

BOOST_AUTO_TEST_CASE(one_that_is_offline_says_since_when_and_from_where) {
    const auto all = found(make_row());
    BOOST_TEST(names(all) == "offline");
    BOOST_TEST((all[0].since == kNow - 1h));
    BOOST_TEST(says(all[0], "192.0.2.7"));
    storage::AgentRow row = make_row();
    row.credentials.current->expires_at = kNow - 1min;
    BOOST_TEST(names(found(row)) == "token_expired offline");
}

BOOST_AUTO_TEST_CASE(one_that_never_came_says_what_is_missing) {
    BOOST_TEST(names(found(storage::AgentRow{})) == "not_enrolled");
    storage::AgentRow row;
    row.enrolled_at = kNow;
    BOOST_TEST(names(found(row)) == "no_tokens");
    row.credentials.pending = storage::PendingToken{.generation = 1, .rotation_id = "r1"};
    BOOST_TEST(names(found(row)) == "never_connected");
}

BOOST_AUTO_TEST_CASE(the_alarms_come_first_and_name_both_addresses) {
    storage::AgentRow row = make_row();
    row.credentials.reuse = sighting();
    row.credentials.contested = sighting();
    const auto all = found(row, session());
    BOOST_TEST(names(all) == "reuse_detected contested connected");
    for (const auto& one : {all[0], all[1]}) {
        BOOST_TEST((one.level == FindingLevel::alarm));
        BOOST_TEST(says(one, "198.51.100.9"));
        BOOST_TEST(says(one, "192.0.2.7:4000"));
        BOOST_TEST(one.advice.has_value());
        BOOST_TEST((one.since == kNow - 5min));
        BOOST_TEST(!says(one, "under way"));
    }
    row.credentials.pending = storage::PendingToken{.generation = 3, .rotation_id = "r3"};
    rotation::answer_sightings(row.credentials, storage::RotationCause::recovery);
    BOOST_TEST(says(found(row)[0], "it closes when the token under way is taken"));
}

BOOST_AUTO_TEST_CASE(a_suspension_says_who_and_why) {
    storage::AgentRow row = make_row();
    row.credentials.status = AgentStatus::suspended;
    BOOST_TEST(names(found(row)) == "suspended offline");
    const storage::AuditEvent by_admin{kNow - 2min, "admin-1", "agent.suspended",
                                       "a",         "ok",      {{"reason", "looking into it"}}};
    const storage::AuditEvent by_policy{kNow - 1min, "system", "token.reuse_detected",
                                        "a",         "ok",     {{"suspended", true}}};
    const storage::AuditEvent alarm_only{kNow, "system", "token.reuse_detected",
                                         "a",  "ok",     {{"suspended", false}}};
    auto all = found(row, {}, {alarm_only, by_admin});
    BOOST_TEST(says(all[0], "admin-1 (\"looking into it\")"));
    BOOST_TEST((all[0].since == kNow - 2min));
    all = found(row, {}, {alarm_only, by_policy, by_admin});
    BOOST_TEST(says(all[0], "reuse_policy = suspend"));
    row.credentials.status = AgentStatus::revoked;
    row.credentials.current.reset();
    BOOST_TEST(names(found(row)) == "revoked");
}

BOOST_AUTO_TEST_CASE(a_rotation_says_how_far_it_is) {
    storage::AgentRow row = make_row();
    row.credentials.pending = storage::PendingToken{.generation = 3,
                                                    .rotation_id = "r3",
                                                    .offered_at = kNow,
                                                    .attempts = 4,
                                                    .last_reason = "disk_full"};
    auto all = found(row, session());
    BOOST_TEST(names(all) == "rotation_failing connected");
    BOOST_TEST(says(all[0], "4 times"));
    BOOST_TEST(says(all[0], "disk_full"));
    BOOST_TEST(says(all[0], "2024-10-04T00:08:00"));
    BOOST_TEST(says(found(row)[1], "when it connects"));
    row.credentials.pending->last_reason.clear();
    BOOST_TEST(names(found(row, session())) == "rotation_pending connected");

    row = make_row();
    row.credentials.requested = storage::RotationRequest{};
    BOOST_TEST(names(found(row)) == "offline rotation_waiting");
    row = make_row();
    row.credentials.activated_generation = 1;
    BOOST_TEST(names(found(row, session())) == "not_activated connected");
    row = make_row();
    row.credentials.previous = storage::PreviousToken{1, "r1", Bytes32{1}, kNow + 24h, kNow + 5min};
    BOOST_TEST(names(found(row, session())) == "connected in_grace");
}

BOOST_AUTO_TEST_SUITE_END()
