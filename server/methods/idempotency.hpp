#pragma once

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "keys/master_key.hpp"
#include "protocol/method.hpp"
#include "storage/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The same answer again for who lost it, although it holds a secret (docs/authentication.md,
// "Idempotency"): sealed under the master key, bound to caller, method and params, until the secret
// in it is used for the first time, at most limits::kIdempotencyLife.
namespace rekey::server::methods {

// Seals and opens the answers. Its parts outlive it.
struct AnswerSeal {
    const keys::MasterKey& master_key;
    Random& random;
};

struct IdempotentCall {
    std::string caller_id;
    std::string_view method;         // of a declaration: it lives for ever
    std::optional<std::string> key;  // absent: nothing is kept and nothing is found
    Bytes32 params_hash{};           // of the params without the idempotency key
    Time now{};
};

// `params` with its idempotency_key, which is taken out.
template <protocol::Method M>
[[nodiscard]] IdempotentCall idempotent_call(std::string caller_id, typename M::Params params,
                                             Time now) {
    IdempotentCall call{std::move(caller_id), M::name, {}, {}, now};
    call.key = std::exchange(params.idempotency_key, std::nullopt);
    if (call.key) call.params_hash = sha256(protocol::encode(params));
    return call;
}

// The same call by one who gets less by it: `ceiling` bounds the key that it makes (none: nothing
// does). What somebody with wider rights was answered is not repeated to him.
[[nodiscard]] IdempotentCall bounded_by(IdempotentCall call,
                                        const std::optional<std::vector<std::string>>& ceiling);

// The JSON that this call was answered with before; empty if it was not, or no longer. `conflict`
// for the same key with another method or other params. Call it once the caller's rights are
// checked: they may have gone since.
[[nodiscard]] Result<std::optional<Secret>> earlier_answer(storage::Transaction& transaction,
                                                           const AnswerSeal& seal,
                                                           const IdempotentCall& call);

// Keeps `answer_json` for later; `secret_id` names the API key in it. `rate_limited` when the
// caller has limits::kIdempotentAnswersACaller of them waiting.
[[nodiscard]] Result<> keep_answer(storage::Transaction& transaction, const AnswerSeal& seal,
                                   const IdempotentCall& call, std::string_view secret_id,
                                   const Secret& answer_json);

// What `act` answers, or what it answered before.
template <protocol::Method M, class Act>
[[nodiscard]] Result<typename M::Result> once(storage::Transaction& transaction,
                                              const AnswerSeal& seal, const IdempotentCall& call,
                                              Act act) {
    REKEY_TRY_ASSIGN(earlier, earlier_answer(transaction, seal, call));
    if (earlier) {
        return protocol::decode_text<typename M::Result>(earlier->expose(),
                                                         protocol::UnknownFields::ignore);
    }
    Result<typename M::Result> answer = act();
    if (answer.has_error() || !call.key) return answer;
    std::string text = protocol::encode(*answer);
    const Secret json(text);
    wipe_string(text);
    REKEY_TRY(keep_answer(transaction, seal, call, answer->key_id, json));
    return answer;
}

}  // namespace rekey::server::methods
