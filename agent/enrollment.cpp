#include "agent/enrollment.hpp"

#include "agent/backoff.hpp"
#include "agent/connection.hpp"
#include "agent/identity.hpp"
#include "base/contract.hpp"
#include "base/fail_point.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "net/http_client.hpp"
#include "protocol/errors.hpp"
#include "protocol/fields.hpp"
#include "protocol/methods/enroll.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"

#include <filesystem>
#include <thread>
#include <utility>

namespace rekey::agent {
namespace {

constexpr std::string_view kSameAgain = "; run enroll again with the same join string";

// Which code the newest identity key was made for, so that a repeated enrollment finds that key and
// one with another code does not send a key that the server has seen.
struct Record {
    std::string code_sha256;
    std::string public_key;
    static constexpr auto fields() {
        return std::tuple{
            protocol::field("code_sha256", &Record::code_sha256, "Of the code.",
                            protocol::Rule{.form = protocol::Form::hex_32_bytes}),
            protocol::field("public_key", &Record::public_key, "Of the key made for it.",
                            protocol::Rule{.form = protocol::Form::base64url_32_bytes})};
    }
};

// `not_found`: there is none, or it is none of ours. Anything else: there may be one.
Result<Record> read_record(Disk& disk) {
    REKEY_TRY_ASSIGN(text, disk.read());
    auto record = protocol::decode_text<Record>(text.expose(), protocol::UnknownFields::refuse);
    if (record.has_error()) return Error(Code::not_found, record.error().message());
    return record;
}

// What is not there, or is nothing of ours, may be written anew. What cannot be read just now may
// be the only copy of what an identity hangs on.
bool may_be_there(const Error& error) {
    return error.code() != Code::not_found && error.code() != Code::corrupt;
}

// The key that was made for this code, or a new one; durable, and so is the record, on return.
Result<Ed25519Key> identity_for(const std::string& code_sha256, Disk& key_disk, Disk& record_disk) {
    const auto record = read_record(record_disk);
    if (record.has_error() && record.error().code() != Code::not_found) return record.error();
    if (record.has_value() && record->code_sha256 == code_sha256) {
        auto made = read_identity(key_disk);
        if (made.has_error() && may_be_there(made.error())) return made;
        if (made.has_value() && public_key_text(*made) == record->public_key) return made;
    }
    auto key = make_identity(key_disk);
    if (key.has_error()) return key;
    const Record fresh{code_sha256, public_key_text(*key)};
    if (const auto failed = record_disk.write(Secret(protocol::encode(fresh))))
        return Error(Code::unavailable, "cannot save the enrollment's record: " + failed->what);
    return key;
}

Secret make_body(const protocol::JoinString& join, std::string_view code_id, const Ed25519Key& key,
                 const AboutAgent& about) {
    protocol::EnrollParams params;
    params.code = join.code;
    params.public_key = public_key_text(key);
    params.signature =
        to_base64url(key.sign(protocol::enrollment_message(code_id, params.public_key)));
    params.hostname = about.hostname;
    params.version = about.version;
    std::string text = protocol::encode(params);
    Secret body(text);
    wipe_string(text);
    return body;
}

Result<protocol::EnrollResult> read_answer(net::HttpResponse& answer) {
    if (answer.status != 200) {
        auto body = protocol::parse_json(answer.body);
        return protocol::error_from_body(body.has_value() ? *body : boost::json::value(nullptr),
                                         answer.status);
    }
    auto result =
        protocol::decode_text<protocol::EnrollResult>(answer.body, protocol::UnknownFields::ignore);
    wipe_string(answer.body);
    if (result.has_error() || result->token.empty())
        return Error(Code::internal, "the server's answer to the enrollment is not understood");
    return result;
}

// A port that speaks no TLS will not do so in a minute either. One that says nothing may be a
// server that ended just then.
constexpr unsigned kTriesOfSilence = 3;

bool worth_another_try(const Error& error, unsigned attempt) {
    if (const auto other = other_transport(error))
        return *other == OtherTransport::no_http && attempt < kTriesOfSilence;
    switch (error.code()) {
        case Code::unavailable:
        case Code::overloaded:
        case Code::rate_limited:
            return true;
        default:
            return false;
    }
}

Result<protocol::EnrollResult> send_code(const Secret& body, const ServerAddress& server,
                                         const EnrollmentOptions& options,
                                         const EnrollmentDoor& door, Random& random,
                                         const Log& log) {
    Backoff backoff(random);
    for (unsigned attempt = 1;; ++attempt) {
        fail_point::reached(fail_point::Point::agent_send_enroll);
        auto answer = door.post("/enroll", body);
        fail_point::reached(fail_point::Point::agent_receive_enrolled);
        auto result = answer.has_value() ? read_answer(*answer)
                                         : Result<protocol::EnrollResult>(answer.error());
        if (result.has_value() || !worth_another_try(result.error(), attempt)) return result;
        const Milliseconds told = result.error().retry_after().value_or(std::chrono::seconds(0));
        // A person waits here: what takes longer than a minute is told instead.
        if (attempt >= options.attempts || told > limits::kReconnectBackoffCap)
            return Error(result.error().code(), result.error().message() + std::string(kSameAgain));
        const Milliseconds delay = told + backoff.next();
        log.warning("enroll.retry", {{"server", to_string(server)},
                                     {"detail", result.error().message()},
                                     {"retry_in_ms", delay.count()}});
        door.pause(delay);
    }
}

// Puts the key of a replacing enrollment in its place; again, if a crash came in between.
Result<> settle_key(const AgentState& state, const EnrollmentDisks& disks) {
    const auto next = read_identity(disks.next_key);
    if (next.has_error() && may_be_there(next.error())) return next.error();
    if (next.has_error() || public_key_text(*next) != state.identity_public_key) return {};
    if (const auto failed = disks.key.write(next->to_pem()))
        return Error(Code::unavailable,
                     "cannot save the identity key: " + failed->what + std::string(kSameAgain));
    return disks.next_key.remove();
}

Error already_enrolled(const AgentState& state, const std::string& file) {
    return Error(Code::already_exists, file + " is enrolled as agent " + state.agent_id + " at " +
                                           to_string(state.server) +
                                           "; to give it up for another one: enroll --replace");
}

}  // namespace

Result<AgentState> enroll(const protocol::JoinString& join, const EnrollmentDisks& disks,
                          const EnrollmentOptions& options, const EnrollmentDoor& door,
                          Random& random, const Log& log) {
    const auto code = protocol::parse_token(join.code.expose());
    if (!code || code->kind != protocol::TokenKind::enrollment_code)
        return Error(Code::invalid_params,
                     "the join string's code is mistyped or cut off; copy it whole");
    const std::string code_sha256 = to_hex(sha256(join.code.expose()));

    auto before = TokenVault::open(disks.state);
    const bool enrolled = before.has_value() || before.error().code() != Code::not_found;
    if (before.has_value() && before->state().enrolled_code_sha256 == code_sha256) {
        // An attempt before may have failed behind its rename: a first connect spends the code.
        if (!before->make_durable())
            return Error(Code::unavailable,
                         disks.state.name() + " could not be made durable; run enroll again");
        REKEY_TRY(settle_key(before->state(), disks));
        REKEY_TRY(disks.record.remove());
        return before->state();
    }
    if (before.has_error() && may_be_there(before.error())) return before.error();
    if (enrolled && options.reenroll == Reenroll::refuse)
        return before.has_value() ? already_enrolled(before->state(), disks.state.name())
                                  : before.error();

    // Until the server has said yes, the old identity stays what it is: also that of a replacement
    // which was cut short, whose key still stands where the next one is made.
    if (before.has_value()) {
        if (!before->make_durable())
            return Error(Code::unavailable, disks.state.name() + " could not be made durable" +
                                                std::string(kSameAgain));
        REKEY_TRY(settle_key(before->state(), disks));
    }
    Disk& key_disk = enrolled ? disks.next_key : disks.key;
    REKEY_TRY_ASSIGN(key, identity_for(code_sha256, key_disk, disks.record));
    AgentState state;
    state.server = {join.host, join.port, join.trust};
    state.identity_public_key = public_key_text(key);
    state.enrolled_code_sha256 = code_sha256;
    REKEY_TRY_ASSIGN(answer, send_code(make_body(join, code->id, key, options.about), state.server,
                                       options, door, random, log));
    state.agent_id = answer.agent_id;
    state.tokens = rotation::on_enrolled({answer.rotation_id, answer.generation, answer.token});
    const StoreOutcome stored = write_state(disks.state, state);
    if (!stored.durable())
        return Error(Code::unavailable,
                     "the token could not be saved: " + stored.detail + std::string(kSameAgain));
    REKEY_TRY(settle_key(state, disks));
    REKEY_TRY(disks.record.remove());
    log.info("enrolled", {{"agent_id", state.agent_id},
                          {"server", to_string(state.server)},
                          {"generation", answer.generation}});
    return state;
}

std::optional<OtherTransport> other_transport(const Error& error) {
    const auto* reason = error.code() != Code::unavailable || error.details() == nullptr
                             ? nullptr
                             : error.details()->if_contains("reason");
    if (reason == nullptr || !reason->is_string()) return std::nullopt;
    if (reason->get_string() == "no_tls") return OtherTransport::no_tls;
    if (reason->get_string() == "no_http") return OtherTransport::no_http;
    return std::nullopt;
}

Result<> require_first_token_durable(TokenVault& vault, Disk& record) {
    // A second token came by a rotation, which begins with a durable write of the first.
    if (vault.held().size() > 1) return {};
    const auto unfinished = read_record(record);
    const bool ended = unfinished.has_error()
                           ? unfinished.error().code() == Code::not_found
                           : unfinished->code_sha256 != vault.state().enrolled_code_sha256;
    if (ended) return {};
    if (vault.make_durable()) return {};
    return Error(Code::unavailable,
                 "the enrollment was interrupted, and its token cannot be made durable: mend the "
                 "disk, then start again, or run enroll again with the same join string");
}

Result<AgentState> enroll_files(const protocol::JoinString& join, const AgentPaths& paths,
                                const EnrollmentOptions& options, const Log& log) {
    const std::string folder = std::filesystem::path(paths.state).parent_path().string();
    if (!folder.empty()) REKEY_TRY(make_private_directory(folder));
    REKEY_TRY_ASSIGN(lock, FileLock::acquire(paths.lock()));
    static_cast<void>(lock);
    const ServerAddress server{join.host, join.port, join.trust};
    REKEY_TRY_ASSIGN(tls, make_client_tls(server));
    net::HttpClientOptions http;
    http.host = join.host;
    http.port = join.port;
    http.tls = tls;
    http.response_bytes = limits::kHttpBodyBytes;
    net::BlockingHttpClient client(std::move(http));
    EnrollmentDoor door;
    door.post = [&client](const std::string& target, const Secret& body) {
        net::HttpCall call;
        call.method = "POST";
        call.target = target;
        call.body = body;
        return client.send(call);
    };
    door.pause = [](Milliseconds delay) { std::this_thread::sleep_for(delay); };
    FileDisk state(paths.state);
    FileDisk key(paths.key());
    FileDisk next_key(paths.next_key());
    FileDisk record(paths.record());
    SystemRandom random;
    return enroll(join, {state, key, next_key, record}, options, door, random, log);
}

}  // namespace rekey::agent
