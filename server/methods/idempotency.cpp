#include "server/methods/idempotency.hpp"

#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/seal.hpp"

namespace rekey::server::methods {
namespace {

constexpr std::chrono::seconds kWhenFull{60};

// A sealed answer opens for its own caller and idempotency key alone, also when rows are swapped in
// the file.
std::string purpose_of(const IdempotentCall& call) {
    return "idempotent-answer\n" + call.caller_id + "\n" + to_hex(sha256(*call.key));
}

}  // namespace

IdempotentCall bounded_by(IdempotentCall call,
                          const std::optional<std::vector<std::string>>& ceiling) {
    if (!call.key || !ceiling) return call;
    std::string text = to_hex(call.params_hash);
    for (const std::string& capability : *ceiling) text.append("\n").append(capability);
    call.params_hash = sha256(text);
    return call;
}

Result<std::optional<Secret>> earlier_answer(storage::Transaction& transaction,
                                             const AnswerSeal& seal, const IdempotentCall& call) {
    std::optional<Secret> none;
    if (!call.key) return none;
    auto row = transaction.idempotent_answers().find(call.caller_id, sha256(*call.key));
    if (row.has_error()) {
        if (row.error().code() == Code::not_found) return none;
        return row.error();
    }
    if (call.now >= row->expires_at) return none;
    if (row->method != call.method || row->params_hash != call.params_hash) {
        return Error(Code::conflict, "this idempotency key belongs to another call of yours");
    }
    auto opened = keys::open(seal.master_key, purpose_of(call), row->sealed_answer);
    if (opened.has_error()) return opened.error();
    return std::optional<Secret>(*std::move(opened));
}

Result<> keep_answer(storage::Transaction& transaction, const AnswerSeal& seal,
                     const IdempotentCall& call, std::string_view secret_id,
                     const Secret& answer_json) {
    if (!call.key) return {};
    auto& answers = transaction.idempotent_answers();
    REKEY_TRY(answers.remove_expired(call.now));
    REKEY_TRY_ASSIGN(waiting, answers.count(call.caller_id));
    if (waiting >= limits::kIdempotentAnswersACaller) {
        return Error(Code::rate_limited, "too many calls with an idempotency key in ten minutes")
            .with_retry_after(kWhenFull);
    }
    storage::IdempotentAnswerRow row;
    row.caller_id = call.caller_id;
    row.idempotency_key_hash = sha256(*call.key);
    row.method = std::string(call.method);
    row.params_hash = call.params_hash;
    row.sealed_answer = keys::seal(seal.master_key, purpose_of(call), answer_json, seal.random);
    row.key_id = std::string(secret_id);
    row.expires_at = call.now + limits::kIdempotencyLife;
    return answers.put(row);
}

}  // namespace rekey::server::methods
