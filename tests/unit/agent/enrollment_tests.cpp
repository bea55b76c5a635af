#include "agent/enrollment.hpp"
#include "agent/identity.hpp"
#include "base/random.hpp"
#include "fakes.hpp"
#include "protocol/errors.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

net::HttpResponse refusal(Code code) {
    return net::HttpResponse::json(protocol::error_row(code).http,
                                   protocol::error_body_text(Error(code)));
}

// A server that binds each code to the first key, as docs/protocol.md says.
struct Fixture {
    FakeDisk state;
    FakeDisk key;
    FakeDisk next_key;
    FakeDisk record;
    SeededRandom random{5};
    std::unique_ptr<Log> log = make_silent_log();
    EnrollmentOptions options{.about = {"0", "host", "os", "boot"}};
    std::vector<Milliseconds> pauses;
    std::vector<boost::json::object> requests;
    std::map<std::string, std::string> bound;  // code -> public key
    std::function<std::optional<Result<net::HttpResponse>>()> fault;

    EnrollmentDoor door{
        [this](const std::string& target, const Secret& body) { return post(target, body); },
        [this](Milliseconds delay) { pauses.push_back(delay); }};

    Result<net::HttpResponse> post(const std::string& target, const Secret& body) {
        BOOST_TEST(target == "/enroll");
        const auto sent = boost::json::parse(std::string(body.expose())).as_object();
        requests.push_back(sent);
        const std::string code(sent.at("code").as_string());
        const std::string public_key(sent.at("public_key").as_string());
        // A0: the key is durable before the code is sent.
        const auto saved =
            key.content ? read_identity(key) : Result<Ed25519Key>(Error(Code::internal));
        const auto next =
            next_key.content ? read_identity(next_key) : Result<Ed25519Key>(Error(Code::internal));
        BOOST_TEST(((saved.has_value() && public_key_text(*saved) == public_key) ||
                    (next.has_value() && public_key_text(*next) == public_key)));
        const auto binding = bound.emplace(code, public_key).first;
        if (fault)
            if (auto result = fault()) return *result;
        if (binding->second != public_key) return refusal(Code::conflict);
        const boost::json::object answer{
            {"agent_id", kAgentId},   {"token", "token-" + public_key},       {"generation", 1},
            {"rotation_id", uuid(1)}, {"expires_at", "2030-01-01T00:00:00Z"}, {"server_ca", ""}};
        return net::HttpResponse::json(200, boost::json::serialize(answer));
    }

    protocol::JoinString join(unsigned number = 1) {
        SeededRandom fixed(number);
        return {"rekey.example", 7443,
                protocol::mint_token(protocol::TokenKind::enrollment_code, uuid(number), fixed),
                protocol::SystemCa{}};
    }
    Result<AgentState> run(const protocol::JoinString& with) {
        return enroll(with, {state, key, next_key, record}, options, door, random, *log);
    }
};

WriteFailure full() { return {WriteStage::before_rename, ENOSPC, "write: No space left"}; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(enrollment_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_first_token_is_confirmed_and_durable) {  // A0
    const auto enrolled = run(join());
    BOOST_REQUIRE(enrolled.has_value());
    const auto stored = decode_state(*state.content).value();
    BOOST_TEST((stored == *enrolled));
    BOOST_TEST(stored.agent_id == kAgentId);
    BOOST_REQUIRE(stored.tokens.size() == 1U);
    BOOST_TEST((stored.tokens[0].state == kConfirmed));
    BOOST_TEST(stored.identity_public_key == public_key_text(read_identity(key).value()));
    BOOST_TEST(!record.content.has_value());
    BOOST_TEST(!next_key.content.has_value());
    BOOST_TEST(state.content->expose().find(join().code.expose()) == std::string_view::npos);

    const auto& request = requests.at(0);
    const std::string public_key(request.at("public_key").as_string());
    const auto signature = from_base64url(request.at("signature").as_string());
    Bytes32 raw{};
    const auto bytes = from_base64url(public_key);
    std::copy(bytes->begin(), bytes->end(), raw.begin());
    BOOST_TEST(ed25519_verify(raw, protocol::enrollment_message(uuid(1), public_key), *signature));
}

BOOST_AUTO_TEST_CASE(a_lost_reply_is_asked_for_again_with_the_same_key) {
    int lost = 2;
    fault = [&]() -> std::optional<Result<net::HttpResponse>> {
        if (lost-- > 0) return Result<net::HttpResponse>(Error(Code::unavailable, "reset"));
        return std::nullopt;
    };
    BOOST_TEST(run(join()).has_value());
    BOOST_TEST(requests.size() == 3U);
    BOOST_TEST(pauses.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_run_that_died_is_repeated_with_the_same_key) {
    fault = [] { return Result<net::HttpResponse>(Error(Code::unavailable, "reset")); };
    const auto failed = run(join());
    BOOST_REQUIRE(failed.has_error());
    BOOST_TEST(failed.error().message().find("again with the same join string") !=
               std::string::npos);
    BOOST_TEST(requests.size() == options.attempts);
    fault = nullptr;
    BOOST_TEST(run(join()).has_value());
    BOOST_TEST(requests.front().at("public_key") == requests.back().at("public_key"));
}

BOOST_AUTO_TEST_CASE(a_server_of_the_other_transport_is_hardly_tried_again) {
    const std::pair<const char*, std::size_t> cases[] = {{"no_tls", 1}, {"no_http", 3}};
    for (const auto& [reason, tries] : cases) {
        requests.clear();
        fault = [&] {
            return Result<net::HttpResponse>(
                Error(Code::unavailable, "other").with("reason", boost::json::string(reason)));
        };
        const auto failed = run(join());
        BOOST_REQUIRE(failed.has_error());
        BOOST_TEST(other_transport(failed.error()).has_value());
        BOOST_TEST(requests.size() == tries);
    }
}

BOOST_AUTO_TEST_CASE(a_first_token_of_a_killed_enrollment_has_to_be_durable) {  // A0
    // The token is there, and so is the record: killed between the rename and the sync.
    state.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    BOOST_TEST(run(join()).has_error());
    BOOST_REQUIRE(record.content.has_value());
    state.sync_error = Error(Code::unavailable, "injected");
    auto vault = TokenVault::open(state).value();
    const auto refused = require_first_token_durable(vault, record);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message().find("enroll again") != std::string::npos);
    state.sync_error.reset();
    BOOST_TEST(require_first_token_durable(vault, record).has_value());
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_not_taken_for_none) {
    state.fail_writes = full();
    BOOST_TEST(run(join()).has_error());
    const Secret made = *key.content;
    record.read_error = Error(Code::unavailable, "injected");
    // Another key would find the code spent.
    BOOST_REQUIRE(run(join()).has_error());
    BOOST_TEST(std::string_view(key.content->expose()) == made.expose());

    record.read_error.reset();
    state.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    BOOST_TEST(run(join()).has_error());
    record.read_error = Error(Code::unavailable, "injected");
    state.sync_error = Error(Code::unavailable, "injected");
    auto vault = TokenVault::open(state).value();
    BOOST_TEST(require_first_token_durable(vault, record).has_error());
}

BOOST_AUTO_TEST_CASE(a_token_that_was_durable_once_may_start_on_a_disk_that_fails) {
    state.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    BOOST_TEST(run(join()).has_error());
    state.fail_writes.reset();
    state.sync_error = Error(Code::unavailable, "injected");
    const Secret left_over = *record.content;
    // Rotated since: the first of two was durable before the second was written.
    AgentState rotated = TokenVault::open(state)->state();
    rotated.tokens.push_back(held(2, kConfirmed));
    BOOST_REQUIRE(write_state(state, rotated).durable());
    auto vault = TokenVault::open(state).value();
    BOOST_TEST(require_first_token_durable(vault, record).has_value());
    // An enrollment that ended left no record; one for another code is not this token's.
    rotated.tokens.erase(rotated.tokens.begin());
    rotated.enrolled_code_sha256 = std::string(64, '0');
    BOOST_REQUIRE(write_state(state, rotated).durable());
    vault = TokenVault::open(state).value();
    BOOST_TEST(require_first_token_durable(vault, record).has_value());
    record.content.reset();
    BOOST_TEST(require_first_token_durable(vault, record).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_disk_after_the_answer_loses_nothing) {
    state.fail_writes = full();
    const auto failed = run(join());
    BOOST_REQUIRE(failed.has_error());
    BOOST_TEST(failed.error().message().find("could not be saved") != std::string::npos);
    state.fail_writes.reset();
    BOOST_TEST(run(join()).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_key_and_record_are_durable) {
    key.fail_writes = full();
    BOOST_TEST(run(join()).has_error());
    key.fail_writes.reset();
    record.fail_writes = full();
    BOOST_TEST(run(join()).has_error());
    BOOST_TEST(requests.empty());
}

BOOST_AUTO_TEST_CASE(the_same_code_on_an_enrolled_agent_changes_nothing) {
    const auto first = run(join());
    const auto second = run(join());
    BOOST_TEST((first.value() == second.value()));
    BOOST_TEST(requests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(another_code_needs_to_be_asked_for_by_name) {
    BOOST_REQUIRE(run(join(1)).has_value());
    const auto refused = run(join(2));
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::already_exists));
    BOOST_TEST(requests.size() == 1U);

    const Secret old_key = *key.content;
    options.reenroll = Reenroll::replace;
    BOOST_TEST(run(join(2)).has_value());
    BOOST_TEST(!(*key.content == old_key));
    BOOST_TEST(!next_key.content.has_value());
    BOOST_TEST(!(requests[0].at("public_key") == requests[1].at("public_key")));
}

BOOST_AUTO_TEST_CASE(a_replacing_enrollment_that_fails_leaves_the_old_one_whole) {
    BOOST_REQUIRE(run(join(1)).has_value());
    const Secret old_key = *key.content;
    const Secret old_state = *state.content;
    options.reenroll = Reenroll::replace;
    fault = [] { return Result<net::HttpResponse>(refusal(Code::unknown_credential)); };
    BOOST_TEST((run(join(2)).error().code() == Code::unknown_credential));
    BOOST_TEST((*key.content == old_key));
    BOOST_TEST((*state.content == old_state));
}

BOOST_AUTO_TEST_CASE(a_crash_between_the_state_and_the_key_is_mended_by_the_next_run) {
    BOOST_REQUIRE(run(join(1)).has_value());
    options.reenroll = Reenroll::replace;
    key.fail_writes = full();
    BOOST_TEST(run(join(2)).has_error());
    key.fail_writes.reset();
    const auto again = run(join(2));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->identity_public_key == public_key_text(read_identity(key).value()));
    BOOST_TEST(!next_key.content.has_value());
    BOOST_TEST(requests.size() == 2U);
}

// The key of the one before it may still stand where the next one's is made.
BOOST_AUTO_TEST_CASE(a_replacement_of_one_that_was_cut_short_keeps_its_identity) {
    BOOST_REQUIRE(run(join(1)).has_value());
    options.reenroll = Reenroll::replace;
    key.fail_writes = full();
    BOOST_TEST(run(join(2)).has_error());
    const auto held = [&] {
        const auto now = decode_state(*state.content).value();
        return identity_of(now, key, next_key).has_value();
    };
    BOOST_TEST(held());
    // While it cannot be put in its place, nothing else is begun.
    BOOST_TEST((run(join(3)).error().code() == Code::unavailable));
    BOOST_TEST(requests.size() == 2U);
    BOOST_TEST(held());
    key.fail_writes.reset();
    fault = [] { return Result<net::HttpResponse>(refusal(Code::unknown_credential)); };
    BOOST_TEST((run(join(3)).error().code() == Code::unknown_credential));
    BOOST_TEST(held());
    fault = nullptr;
    BOOST_TEST(run(join(3)).has_value());
    BOOST_TEST(held());
}

// Nor is it lost when a file cannot be read for a moment: what is there is not known then.
BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_read_does_not_cost_the_identity_either) {
    BOOST_REQUIRE(run(join(1)).has_value());
    options.reenroll = Reenroll::replace;
    key.fail_writes = full();
    BOOST_TEST(run(join(2)).has_error());
    key.fail_writes.reset();
    for (FakeDisk* disk : {&state, &next_key}) {
        for (const Code failure : {Code::unavailable, Code::permission_denied}) {
            disk->read_error = Error(failure, "read: Input/output error");
            BOOST_TEST((run(join(3)).error().code() == failure));
            disk->read_error.reset();
            const auto now = decode_state(*state.content).value();
            BOOST_TEST(identity_of(now, key, next_key).has_value());
        }
    }
    BOOST_TEST(requests.size() == 2U);
    BOOST_TEST(run(join(3)).has_value());
}

// The server has bound the code to it.
BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_read_is_not_replaced) {
    fault = [] { return Result<net::HttpResponse>(Error(Code::unavailable, "reset")); };
    BOOST_TEST(run(join()).has_error());
    fault = nullptr;
    key.read_error = Error(Code::unavailable, "read: Input/output error");
    BOOST_TEST((run(join()).error().code() == Code::unavailable));
    key.read_error.reset();
    BOOST_TEST(run(join()).has_value());
}

BOOST_AUTO_TEST_CASE(a_new_code_gets_a_new_key) {
    fault = [] { return Result<net::HttpResponse>(Error(Code::unavailable, "reset")); };
    BOOST_TEST(run(join(1)).has_error());
    fault = nullptr;
    BOOST_TEST(run(join(2)).has_value());
    BOOST_TEST(!(requests.front().at("public_key") == requests.back().at("public_key")));
}

BOOST_AUTO_TEST_CASE(a_damaged_state_file_is_not_overwritten) {  // A5
    state.content = Secret("{");
    BOOST_TEST((run(join()).error().code() == Code::corrupt));
    BOOST_TEST(state.content->expose() == "{");
    BOOST_TEST(requests.empty());
    options.reenroll = Reenroll::replace;
    BOOST_TEST(run(join()).has_value());
}

BOOST_AUTO_TEST_CASE(an_exposed_key_is_refused) {
    fault = [] { return Result<net::HttpResponse>(Error(Code::unavailable, "reset")); };
    BOOST_TEST(run(join()).has_error());
    key.read_error = Error(Code::permission_denied, "chmod 600");
    fault = nullptr;
    requests.clear();
    BOOST_TEST((run(join()).error().code() == Code::permission_denied));
    BOOST_TEST(requests.empty());
}

BOOST_AUTO_TEST_CASE(refusals_end_at_once_and_waits_are_kept) {
    for (const Code code : {Code::unknown_credential, Code::conflict, Code::invalid_params,
                            Code::permission_denied}) {
        requests.clear();
        fault = [code] { return Result<net::HttpResponse>(refusal(code)); };
        BOOST_TEST((run(join()).error().code() == code));
        BOOST_TEST(requests.size() == 1U);
    }
    int times = 1;
    fault = [&]() -> std::optional<Result<net::HttpResponse>> {
        if (times-- <= 0) return std::nullopt;
        return Result<net::HttpResponse>(net::HttpResponse::json(
            429, R"({"name":"rate_limited","retry":"later","retry_after_seconds":20})"));
    };
    BOOST_TEST(run(join()).has_value());
    BOOST_TEST(pauses.at(0) >= std::chrono::seconds(20));
    state.content.reset();
    fault = [] {
        return Result<net::HttpResponse>(net::HttpResponse::json(
            429, R"({"name":"rate_limited","retry":"later","retry_after_seconds":3000})"));
    };
    requests.clear();
    BOOST_TEST((run(join()).error().code() == Code::rate_limited));
    BOOST_TEST(requests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(answers_that_are_not_understood_are_errors) {
    for (const std::string body : {"", "{}", "[]", "<html>", R"({"agent_id":"x"})"}) {
        fault = [&] { return Result<net::HttpResponse>(net::HttpResponse::json(200, body)); };
        BOOST_TEST(run(join()).has_error());
        BOOST_TEST(!state.content.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_mistyped_code_is_caught_before_anything_happens) {
    auto mistyped = join();
    std::string text(mistyped.code.expose());
    text.back() = text.back() == '0' ? '1' : '0';
    mistyped.code = Secret(text);
    const auto refused = run(mistyped);
    BOOST_TEST((refused.error().code() == Code::invalid_params));
    BOOST_TEST(refused.error().message().find(text) == std::string::npos);
    BOOST_TEST(requests.empty());
    BOOST_TEST(!key.content.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
