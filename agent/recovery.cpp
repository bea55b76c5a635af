#include "agent/recovery.hpp"

#include "agent/refusal.hpp"
#include "base/encoding.hpp"
#include "base/fail_point.hpp"
#include "protocol/fields.hpp"
#include "protocol/methods/recover.hpp"
#include "protocol/proof.hpp"

#include <utility>

namespace rekey::agent {
namespace {

constexpr unsigned kOk = 200;

// The body of an answer, which is wiped: it may hold a token.
template <class T>
Result<T> read_answer(Result<net::HttpResponse>& answer) {
    if (answer.has_error()) return answer.error();
    if (answer->status != kOk) return read_refusal(*answer);
    auto result = protocol::decode_text<T>(answer->body, protocol::UnknownFields::ignore);
    wipe_string(answer->body);
    if (result.has_error())
        return Error(Code::internal, "the server's answer to the recovery is not understood");
    return result;
}

}  // namespace

void Recovery::attempt(const rotation::RecoveryRequest& request, Done done) {
    newest_held_ = request.newest_held;
    shown_ = request.token != nullptr ? std::optional(request.token->token) : std::nullopt;
    done_ = std::move(done);
    const protocol::RecoverChallengeParams params{agent_id_};
    transport_.post("/recover/challenge", Secret(protocol::encode(params)),
                    [this](Result<net::HttpResponse> answer) { on_challenge(std::move(answer)); });
}

void Recovery::on_challenge(Result<net::HttpResponse> answer) {
    const auto result = read_answer<protocol::RecoverChallengeResult>(answer);
    if (result.has_error()) return finish(result.error());
    auto body = signed_request(result->challenge);
    if (body.has_error()) return finish(body.error());
    fail_point::reached(fail_point::Point::agent_send_recover);
    transport_.post("/recover", std::move(*body), [this](Result<net::HttpResponse> recovered) {
        on_answer(std::move(recovered));
    });
}

Result<Secret> Recovery::signed_request(const std::string& challenge) {
    REKEY_TRY_ASSIGN(key, identity_());
    protocol::RecoverParams params;
    params.agent_id = agent_id_;
    params.challenge = challenge;
    params.newest_held = newest_held_;
    params.token = shown_;
    params.signature =
        to_base64url(key.sign(protocol::recovery_message(agent_id_, challenge, newest_held_)));
    std::string text = protocol::encode(params);
    Secret body(text);
    wipe_string(text);
    return body;
}

void Recovery::on_answer(Result<net::HttpResponse> answer) {
    const auto result = read_answer<protocol::RecoverResult>(answer);
    if (result.has_error()) return finish(result.error());
    fail_point::reached(fail_point::Point::agent_receive_recovered);
    if (result->token.empty() || result->agent_id != agent_id_)
        return finish(Error(Code::internal, "the recovery was answered for another agent"));
    finish(rotation::Offer{result->rotation_id, result->generation, result->token});
}

void Recovery::finish(Result<rotation::Offer> result) {
    shown_.reset();
    std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace rekey::agent
