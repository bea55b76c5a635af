#include "base/time_format.hpp"
#include "cli/progress_bar.hpp"
#include "fake_server.hpp"
#include "protocol/errors.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;
using protocol::RotationStatus;
using protocol::RotationView;

namespace {

// A fleet whose rotations go the way that a test lays out: agent N has the rotation N + 100'000.
struct Fleet : Rekeyctl {
    // What rotations.get and .list tell of a rotation, one answer after the other; the last stays.
    std::map<std::string, std::vector<RotationView>> story;
    protocol::RotationsStart::Params asked;

    static std::string rotation_of(unsigned number) { return id_of(number + 100'000); }

    void tell(unsigned number, const std::vector<RotationStatus>& steps,
              const std::string& reason = {}) {
        for (const RotationStatus status : steps) {
            RotationView view;
            view.agent_id = id_of(number);
            view.rotation_id = rotation_of(number);
            view.generation = 2;
            view.status = status;
            if (!reason.empty()) view.last_reason = reason;
            story[*view.rotation_id].push_back(view);
        }
    }

    RotationView next(const std::string& rotation_id) {
        auto& steps = story.at(rotation_id);
        const RotationView view = steps.front();
        if (steps.size() > 1) steps.erase(steps.begin());
        return view;
    }

    // Agents 1 to `count`, web-1 and so on; those without a story wait for their next connect.
    void serve(unsigned count) {
        std::vector<protocol::AgentSummary> agents;
        for (unsigned i = 1; i <= count; ++i) agents.push_back(agent(i, fmt::format("web-{}", i)));
        server.hold(agents);
        server.on<protocol::RotationsStart>(
            [this, agents](const protocol::RotationsStart::Params& params) {
                asked = params;
                protocol::RotationsStart::Result result;
                if (params.agent_id) {
                    const auto one = start(*params.agent_id);
                    result.agent_id = one.agent_id;
                    result.status = one.status;
                    result.rotation_id = one.rotation_id;
                    result.generation = one.generation;
                    return result;
                }
                result.rotations.emplace();
                if (params.all)
                    for (const auto& each : agents)
                        result.rotations->push_back(start(each.agent_id));
                else
                    for (const auto& id : *params.agent_ids) result.rotations->push_back(start(id));
                return result;
            });
        server.on<protocol::RotationsGet>([this](const protocol::RotationsGet::Params& params) {
            return next(params.rotation_id);
        });
        server.on<protocol::RotationsList>([this](const protocol::RotationsList::Params& params) {
            protocol::RotationsList::Result page;
            auto at = params.cursor ? story.find(*params.cursor) : story.begin();
            for (; at != story.end(); ++at) {
                if (page.rotations.size() == static_cast<std::size_t>(params.limit)) {
                    page.next_cursor = at->first;
                    break;
                }
                page.rotations.push_back(next(at->first));
            }
            return page;
        });
    }

    [[nodiscard]] protocol::StartedRotation start(const std::string& agent_id) const {
        protocol::StartedRotation started;
        started.agent_id = agent_id;
        const std::string id = rotation_of(static_cast<unsigned>(std::stoul(agent_id.substr(24))));
        if (!story.contains(id)) {
            started.status = RotationStatus::at_next_connect;
            return started;
        }
        started.status = RotationStatus::offered;
        started.rotation_id = id;
        started.generation = 2;
        return started;
    }
};

constexpr auto kOffered = RotationStatus::offered;
constexpr auto kCommitted = RotationStatus::committed;
constexpr auto kActivated = RotationStatus::activated;
constexpr auto kFailing = RotationStatus::failing;

bool has(const std::ostringstream& stream, std::string_view words) {
    return stream.str().find(words) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rotate_tests, Fleet)

BOOST_AUTO_TEST_CASE(one_agent_is_waited_for_until_it_has_confirmed) {
    tell(1, {RotationStatus::queued, kCommitted, kActivated});
    serve(1);
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::ok));
    BOOST_TEST(asked.agent_id.value_or("") == id_of(1));
    BOOST_TEST(!asked.force);
    BOOST_TEST(server.count("rotations.get") == 3U);
    BOOST_TEST(has(out, "1 activated\n"));
    BOOST_TEST(err.str() == "web-1: activated, generation 2\n");
}

BOOST_AUTO_TEST_CASE(an_offline_agent_waits_and_is_no_failure) {
    tell(1, {kActivated});
    serve(2);
    BOOST_TEST((run({"rotate", "--all", "--force"}) == ExitCode::ok));
    BOOST_TEST(asked.all);
    BOOST_TEST(asked.force);
    BOOST_TEST(has(out, "1 activated, 1 at the next connect\n"));
    BOOST_TEST(has(out, "at_next_connect"));
    BOOST_TEST(has(err, "web-2: at_next_connect\n"));
}

BOOST_AUTO_TEST_CASE(a_failing_agent_ends_with_1_and_does_not_hold_up_the_others) {
    tell(1, {kOffered, kFailing}, "disk_full");
    tell(2, {kOffered, kOffered, kActivated});
    serve(2);
    BOOST_TEST((run({"rotate", "web-1", "web-2"}) == ExitCode::failure));
    BOOST_TEST(asked.agent_ids.value().size() == 2U);
    BOOST_TEST(has(out, "1 activated, 1 failing\n"));
    BOOST_TEST(has(out, "disk_full"));
    BOOST_TEST(has(err, "1 of 2 failed"));
    BOOST_TEST((clock.past < std::chrono::seconds{10}));
}

BOOST_AUTO_TEST_CASE(troubles_that_may_pass_are_waited_out) {
    tell(1, {kFailing, kFailing, kActivated}, "candidate_unresolved");
    tell(2, {kFailing, kFailing, kFailing, kActivated}, "no_answer");
    serve(2);
    BOOST_TEST((run({"rotate", "--all"}) == ExitCode::ok));
    BOOST_TEST(has(out, "2 activated\n"));
}

BOOST_AUTO_TEST_CASE(an_agent_that_never_answers_ends_at_the_time_out) {
    tell(1, {kOffered});
    serve(1);
    BOOST_TEST((run({"rotate", "web-1", "--timeout", "5"}) == ExitCode::failure));
    BOOST_TEST((clock.past == std::chrono::seconds{5}));
    BOOST_TEST(has(out, "1 under way"));
    BOOST_TEST(has(err, "did not confirm within 5 s"));
}

BOOST_AUTO_TEST_CASE(a_restart_of_the_server_is_waited_out) {
    tell(1, {kActivated});
    serve(1);
    int calls = 0;
    server.on<protocol::RotationsGet>(
        [&](const protocol::RotationsGet::Params& params) -> Result<RotationView> {
            if (++calls <= 3) return Error(Code::unavailable, "connection refused");
            return next(params.rotation_id);
        });
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::ok));
    // Said once, not three times.
    const std::string text = err.str();
    BOOST_TEST(text.find("connection refused") != std::string::npos);
    BOOST_TEST(text.find("connection refused") == text.rfind("connection refused"));
}

BOOST_AUTO_TEST_CASE(a_credential_that_ends_meanwhile_is_an_error) {
    tell(1, {kActivated});
    serve(1);
    server.on<protocol::RotationsGet>(
        [](const protocol::RotationsGet::Params&) -> Result<RotationView> {
            return Error(Code::unknown_credential);
        });
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::permission));
}

BOOST_AUTO_TEST_CASE(a_rotation_that_was_replaced_is_followed) {
    tell(1, {RotationStatus::ended});
    tell(7, {kActivated});
    serve(1);
    protocol::AgentSummary replaced = agent(1, "web-1");
    replaced.pending = protocol::PendingRotation{rotation_of(7), 9};
    server.hold({replaced});
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::ok));
    BOOST_TEST(has(err, "web-1: activated, generation 9"));
}

BOOST_AUTO_TEST_CASE(a_rotation_that_ended_for_good_is_a_failure) {
    tell(1, {RotationStatus::ended});
    serve(1);
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::failure));
    BOOST_TEST(has(out, "ended"));
}

BOOST_AUTO_TEST_CASE(within_the_grace_the_way_out_is_force) {
    serve(1);
    server.on<protocol::RotationsStart>(
        [](const protocol::RotationsStart::Params&) -> Result<protocol::RotationsStart::Result> {
            return Error(Code::wrong_state, "within the grace of the last rotation")
                .with("not_before", "2026-11-21T07:36:10.000Z");
        });
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::failure));
    BOOST_TEST(has(err, "wrong_state"));
    BOOST_TEST(has(err, "not before 2026-11-21T07:36:10.000Z"));
    BOOST_TEST(has(err, "--force"));
}

BOOST_AUTO_TEST_CASE(one_refused_among_many_is_shown_with_its_reason) {
    tell(1, {kActivated});
    serve(2);
    server.on<protocol::RotationsStart>([this](const protocol::RotationsStart::Params&) {
        protocol::RotationsStart::Result result;
        protocol::StartedRotation refused;
        refused.agent_id = id_of(2);
        refused.error = boost::json::object{{"name", "agent_suspended"}, {"message", "suspended"}};
        result.rotations = {start(id_of(1)), refused};
        return result;
    });
    BOOST_TEST((run({"rotate", "web-1", "web-2"}) == ExitCode::failure));
    BOOST_TEST(has(out, "not started"));
    BOOST_TEST(has(out, "agent_suspended: suspended"));
    BOOST_TEST(has(err, "web-2: not started: agent_suspended"));
    BOOST_TEST(has(out, "1 activated, 1 not started\n"));
    BOOST_TEST(!has(err, "--force"));
}

BOOST_AUTO_TEST_CASE(within_the_grace_is_not_started_rather_than_failing) {
    tell(1, {kActivated});
    serve(2);
    server.on<protocol::RotationsStart>([this](const protocol::RotationsStart::Params&) {
        protocol::RotationsStart::Result result;
        protocol::StartedRotation refused;
        refused.agent_id = id_of(2);
        refused.status = RotationStatus::in_grace;
        refused.not_before = parse_rfc3339("2026-11-21T07:36:10.000Z").value();
        refused.error = protocol::error_body(Error(Code::wrong_state, "within the grace"));
        result.rotations = {start(id_of(1)), refused};
        return result;
    });
    BOOST_TEST((run({"rotate", "--all"}) == ExitCode::failure));
    BOOST_TEST(has(out, "1 activated, 1 not started\n"));
    BOOST_TEST(has(out, "not before 2026-11-21T07:36:10Z"));
    BOOST_TEST(!has(out, "failing"));
    BOOST_TEST(has(err, "1 of 2 not started"));
    BOOST_TEST(has(err, "Wait until 2026-11-21T07:36:10Z"));
    BOOST_TEST(has(err, "--force"));
    BOOST_TEST(!has(err, "failed"));
}

BOOST_AUTO_TEST_CASE(an_offline_agent_with_an_offered_token_is_not_waited_for) {
    tell(1, {kOffered, RotationStatus::at_next_connect});
    serve(1);
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::ok));
    BOOST_TEST(has(out, "1 at the next connect\n"));
    BOOST_TEST((clock.past < std::chrono::seconds{1}));
}

BOOST_AUTO_TEST_CASE(without_waiting_the_answer_to_the_start_is_all) {
    tell(1, {kOffered});
    serve(2);
    BOOST_TEST((run({"rotate", "--all", "--no-wait", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(server.count("rotations.get") == 0U);
    const auto json = boost::json::parse(out.str());
    BOOST_TEST(json.at("rotations").as_array().size() == 2U);
    BOOST_TEST(json.at("rotations").at(1).at("status").as_string() == "at_next_connect");
    BOOST_TEST(err.str().empty());
    out.str({});
    BOOST_TEST((run({"rotate", "web-1", "--no-wait", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(boost::json::parse(out.str()).at("agent_id").as_string() == id_of(1));
}

BOOST_AUTO_TEST_CASE(a_fleet_is_asked_about_by_pages_and_rarely) {
    constexpr unsigned kAgents = 1200;
    for (unsigned i = 1; i <= kAgents; ++i) tell(i, {kOffered, kOffered, kCommitted, kActivated});
    serve(kAgents);
    BOOST_TEST((run({"rotate", "--all", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(server.count("rotations.get") == 0U);
    BOOST_TEST(server.count("rotations.list") == 4U * 3U);
    const auto json = boost::json::parse(out.str());
    BOOST_TEST(json.at("rotations").as_array().size() == kAgents);
    BOOST_TEST(json.at("rotations").at(0).at("status").as_string() == "activated");
}

BOOST_AUTO_TEST_CASE(the_rate_limit_is_kept_while_waiting) {
    for (unsigned i = 1; i <= 8; ++i) tell(i, {kOffered});
    serve(8);
    BOOST_TEST((run({"rotate", "--all", "--timeout", "60"}) == ExitCode::failure));
    BOOST_TEST(server.calls().size() < 400U);
    BOOST_TEST(server.calls().size() > 100U);
}

BOOST_AUTO_TEST_CASE(more_names_than_a_request_takes_are_split) {
    constexpr unsigned kAgents = 1001;
    std::vector<std::string> args{"rotate", "--no-wait"};
    for (unsigned i = 1; i <= kAgents; ++i) args.push_back(fmt::format("web-{}", i));
    args.emplace_back("web-1");  // twice is once
    serve(kAgents);
    BOOST_TEST((run(args) == ExitCode::ok));
    BOOST_TEST(server.count("rotations.start") == 2U);
    BOOST_TEST(asked.agent_ids.value().size() == 1U);
    BOOST_TEST(has(out, "1001 at the next connect"));
}

BOOST_AUTO_TEST_CASE(on_a_terminal_one_line_is_drawn_over_again) {
    tell(1, {kOffered, kActivated});
    serve(1);
    kind = Screen::Kind::terminal;
    columns = 80;
    BOOST_TEST((run({"rotate", "web-1"}) == ExitCode::ok));
    BOOST_TEST(has(err, "\r\x1b[K"));
    BOOST_TEST(has(err, "0/1"));
    BOOST_TEST(has(err, "1/1  0:00  1 activated"));
    BOOST_TEST(err.str().find('\n') == err.str().size() - 1);
}

BOOST_AUTO_TEST_CASE(the_bar_fills_and_never_wraps) {
    const RotationCounts half{10, 4, 1, 5, 0, 0};
    const auto bar = [&](std::size_t room) {
        return bar_text(half, std::chrono::seconds{65}, room);
    };
    BOOST_TEST(bar(0) ==
               "[############------------]  5/10  1:05  4 activated, 1 at the next connect");
    BOOST_TEST(bar(67) == "[########--------]  5/10  1:05  4 activated, 1 at the next connect");
    BOOST_TEST(display_width(bar(67)) == 66U);
    BOOST_TEST(display_width(bar(40)) == 39U);
    BOOST_TEST(bar_text({}, Milliseconds{0}, 0).starts_with("[########################]  0/0"));
}

BOOST_AUTO_TEST_SUITE_END()
