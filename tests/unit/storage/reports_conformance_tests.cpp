#include "base/limits.hpp"
#include "storage/names.hpp"
#include "tests/unit/storage/conformance.hpp"

#include <boost/json/serialize.hpp>

// What agents report, alike in every engine.
namespace rekey::storage::testing {
namespace {

Report report_of(unsigned agent, ReportKind kind, std::string name,
                 boost::json::object details = {}) {
    return {.agent_id = id_of(agent),
            .kind = kind,
            .name = std::move(name),
            .details = std::move(details)};
}

template <class Engine>
Noted note(Opened<Engine>& engine, const Report& report, Time now) {
    Noted noted = Noted::full;
    write_ok(engine.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(outcome, t.reports().note(report, now));
        noted = outcome;
        return {};
    });
    return noted;
}

template <class Engine>
std::vector<ReportRow> listed(Opened<Engine>& engine, unsigned agent) {
    return *read_now(engine.store(),
                     [=](Transaction& t) { return t.reports().list(id_of(agent)); });
}

template <class Engine>
void insert_agents(Opened<Engine>& engine) {
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        return t.agents().insert(make_agent(2));
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reports_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_same_again_is_counted_and_keeps_its_first_time, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const Time now = engine.clock.now();
    const Time later = now + Milliseconds(5);
    const auto first = report_of(1, ReportKind::mcp_server, "files", {{"confidence", 95.5}});
    BOOST_CHECK(note(engine, first, now) == Noted::added);
    BOOST_CHECK(note(engine, first, now) == Noted::repeated);
    const auto again = report_of(1, ReportKind::mcp_server, "files", {{"confidence", 40}});
    BOOST_CHECK(note(engine, again, later) == Noted::repeated);
    const auto rows = listed(engine, 1);
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].times == 3U);
    BOOST_CHECK(rows[0].first_seen_at == now);
    BOOST_CHECK(rows[0].last_seen_at == later);
    BOOST_TEST(boost::json::serialize(rows[0].report.details) == R"({"confidence":40})");
    BOOST_TEST(rows[0].report.name == "files");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(kinds_names_and_agents_are_kept_apart, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const Time now = engine.clock.now();
    BOOST_CHECK(note(engine, report_of(1, ReportKind::mcp_server, "b"), now) == Noted::added);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::integration, "b"), now) == Noted::added);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, "b"), now) == Noted::added);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, "a"), now) == Noted::added);
    BOOST_CHECK(note(engine, report_of(2, ReportKind::capability, "b"), now) == Noted::added);
    std::string order;
    for (const auto& row : listed(engine, 1))
        order += std::string(name_of(row.report.kind)) + ":" + row.report.name + " ";
    BOOST_TEST(order == "capability:a capability:b integration:b mcp_server:b ");
    BOOST_TEST(listed(engine, 2).size() == 1U);
    BOOST_TEST(listed(engine, 3).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_kind_of_one_agent_is_full_at_its_limit, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const Time now = engine.clock.now();
    for (std::size_t i = 0; i < limits::kReportsAKind; ++i)
        BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, std::to_string(i)), now) ==
                    Noted::added);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, "more"), now) == Noted::full);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, "0"), now) == Noted::repeated);
    BOOST_CHECK(note(engine, report_of(1, ReportKind::mcp_server, "x"), now) == Noted::added);
    BOOST_CHECK(note(engine, report_of(2, ReportKind::capability, "x"), now) == Noted::added);
    BOOST_TEST(listed(engine, 1).size() == limits::kReportsAKind + 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nobody_reports_for_an_agent_that_is_not_there, Engine, Engines) {
    Opened<Engine> engine;
    const auto unknown = write_now(engine.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY(t.reports().note(report_of(9, ReportKind::capability, "x"), engine.clock.now()));
        return {};
    });
    BOOST_CHECK(code_of(unknown) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_agent_that_is_removed_takes_its_reports_along, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const Time now = engine.clock.now();
    for (const unsigned agent : {1U, 2U})
        BOOST_CHECK(note(engine, report_of(agent, ReportKind::capability, "x"), now) ==
                    Noted::added);
    write_ok(engine.store(), [](Transaction& t) { return t.agents().remove(id_of(1)); });
    BOOST_TEST(listed(engine, 1).empty());
    BOOST_TEST(listed(engine, 2).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unit_that_fails_leaves_no_report, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const Time now = engine.clock.now();
    BOOST_CHECK(note(engine, report_of(1, ReportKind::capability, "old"), now) == Noted::added);
    const auto failed = write_now(engine.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY(t.reports().note(report_of(1, ReportKind::capability, "old"), now));
        REKEY_TRY(t.reports().note(report_of(1, ReportKind::capability, "new"), now));
        return Error(Code::conflict, "no");
    });
    BOOST_CHECK(code_of(failed) == Code::conflict);
    const auto rows = listed(engine, 1);
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].times == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
