#include "server/rpc/authenticator.hpp"

#include "server/rpc/refused_authentications.hpp"
#include "storage/store_async.hpp"

#include <utility>

namespace rekey::server::rpc {
namespace {

// An API key has no dots; a JWT has two.
bool looks_like_a_token(std::string_view credential) {
    return credential.find('.') != std::string_view::npos;
}

}  // namespace

Task<Result<Caller>> Authenticator::authenticate(std::string_view credential, std::string address,
                                                 std::string request_id) const {
    const Time now = parts_.clock.now();
    auto caller = look(credential, now);
    if (caller.has_error()) co_return caller;
    caller->address = std::move(address);
    caller->request_id = std::move(request_id);
    if (caller->token) co_return caller;
    parts_.uses.note(caller->key_id, now);
    if (caller->key_is_unused) {
        const auto marked = co_await mark_first_use(*caller, now);
        if (marked.has_error()) co_return Result<Caller>(marked.error());
        caller->key_is_unused = false;
    }
    co_return caller;
}

Result<Caller> Authenticator::look(std::string_view credential, Time now) const {
    if (!looks_like_a_token(credential)) {
        return storage::read_here_as<Caller>(parts_.store, [&](storage::Transaction& transaction) {
            return rpc::authenticate(transaction, credential, now);
        });
    }
    REKEY_TRY_ASSIGN(facts, parts_.tokens.verify(credential));
    return storage::read_here_as<Caller>(parts_.store, [&](storage::Transaction& transaction) {
        return authenticate_token(transaction, facts, now);
    });
}

Task<Result<bool>> Authenticator::mark_first_use(const Caller& caller, Time now) const {
    auto unit = [caller, now](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY_ASSIGN(marked, transaction.api_keys().mark_first_used(caller.key_id, now));
        if (!marked) return false;
        REKEY_TRY(transaction.idempotent_answers().remove_of_key(caller.key_id));
        transaction.audit().append(audit_event(caller, "api_key.first_used", caller.agent_id, now));
        return true;
    };
    co_return co_await write_to<bool>(parts_.store, std::move(unit));
}

std::string Authenticator::claimed_id(std::string_view credential) const {
    return looks_like_a_token(credential) ? parts_.tokens.claimed_id(credential)
                                          : rpc::claimed_id(credential);
}

Result<Caller> Authenticator::again(const Caller& caller) const {
    if (caller.token && !parts_.tokens.trusts(caller.token->signing_kid)) {
        return Error(Code::unknown_credential, "the access token's signing key is gone");
    }
    const Time now = parts_.clock.now();
    return storage::read_here_as<Caller>(parts_.store, [&](storage::Transaction& transaction) {
        return read_again(transaction, caller, now);
    });
}

}  // namespace rekey::server::rpc
