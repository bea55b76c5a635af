#include "base/limits.hpp"
#include "fake_server.hpp"
#include "protocol/methods/audit_chain.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;
using namespace std::chrono_literals;

namespace {

// A server with two agents, one a page, and two pages of the trail's export; when a page behind the
// first is asked for, the rate limit is spent so many times.
struct Fixture : Rekeyctl {
    Fixture() {
        server.on<protocol::AgentsList>([this](const protocol::AgentsList::Params& params)
                                            -> Result<protocol::AgentsList::Result> {
            if (auto refusal = refuse(params.cursor)) return *refusal;
            protocol::AgentsList::Result page;
            page.agents = {params.cursor ? agent(2, "b") : agent(1, "a")};
            if (!params.cursor) page.next_cursor = id_of(1);
            return page;
        });
        server.on<protocol::AuditExport>([this](const protocol::AuditExport::Params& params)
                                             -> Result<protocol::AuditExport::Result> {
            if (auto refusal = refuse(params.cursor)) return *refusal;
            protocol::AuditExport::Result page;
            page.stream_id = "main";
            if (!params.cursor) page.next_cursor = "1";
            return page;
        });
        server.on<protocol::AuditVerify>([this](const protocol::AuditVerify::Params& params)
                                             -> Result<protocol::AuditVerify::Result> {
            if (auto refusal = refuse(params.cursor)) return *refusal;
            protocol::AuditVerify::Result part;
            part.verified = true;
            part.head_hash = std::string(64, 'a');
            if (!params.cursor) part.next_cursor = "1:" + part.head_hash;
            return part;
        });
    }
    std::optional<Error> refuse(const std::optional<std::string>& cursor) {
        if (!cursor || refusals == 0) return std::nullopt;
        --refusals;
        Error error(code, "later");
        if (retry_after) error = std::move(error).with_retry_after(*retry_after);
        return error;
    }

    std::size_t refusals = 0;
    Code code = Code::rate_limited;
    std::optional<std::chrono::seconds> retry_after = 7s;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(retry_tests, Fixture)

BOOST_AUTO_TEST_CASE(pages_wait_until_the_rate_limit_lets_them_in) {
    refusals = 3;
    BOOST_TEST((run({"agents", "list", "-o", "json"}) == ExitCode::ok), err.str());
    BOOST_TEST(boost::json::parse(out.str()).at("agents").as_array().size() == 2U);
    BOOST_TEST((clock.past == 21s));
}

BOOST_AUTO_TEST_CASE(an_export_waits_and_is_whole) {
    refusals = 3;
    BOOST_TEST((run({"audit", "export"}) == ExitCode::ok), err.str());
    BOOST_TEST(out.str().find("{\"end\":") != std::string::npos);
    BOOST_TEST(server.count("audit.export") == 5U);
    BOOST_TEST((clock.past == 21s));
}

BOOST_AUTO_TEST_CASE(a_long_verification_waits) {
    refusals = 1;
    BOOST_TEST((run({"audit", "verify"}) == ExitCode::ok), err.str());
    BOOST_TEST((clock.past == 7s));
}

BOOST_AUTO_TEST_CASE(one_that_does_not_say_how_long_is_asked_after_a_second) {
    refusals = 1;
    retry_after.reset();
    BOOST_TEST((run({"agents", "list"}) == ExitCode::ok), err.str());
    BOOST_TEST((clock.past == 1s));
}

BOOST_AUTO_TEST_CASE(patience_has_an_end) {
    refusals = limits::kRateLimitWaits + 1;
    BOOST_TEST((run({"audit", "export"}) == ExitCode::unavailable));
    BOOST_TEST(err.str().find("rate_limited") != std::string::npos, err.str());
    BOOST_TEST((clock.past == 7s * limits::kRateLimitWaits));
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_too_long_is_left_to_the_caller) {
    refusals = 1;
    retry_after = limits::kRateLimitWait + 1s;
    BOOST_TEST((run({"agents", "list"}) == ExitCode::unavailable));
    BOOST_TEST((clock.past == 0s));
}

BOOST_AUTO_TEST_CASE(other_errors_end_it_at_once) {
    refusals = 1;
    code = Code::overloaded;
    BOOST_TEST((run({"agents", "list"}) == ExitCode::unavailable));
    BOOST_TEST((clock.past == 0s));
}

BOOST_AUTO_TEST_SUITE_END()
