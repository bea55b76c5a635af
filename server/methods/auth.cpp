#include "protocol/methods/auth.hpp"

#include "server/methods/parts.hpp"
#include "server/rpc/access_tokens.hpp"

#include <algorithm>
#include <utility>

// auth.token, and agent.jwt on the agents' sockets.
namespace rekey::server::methods {
namespace {

using protocol::AccessToken;
using protocol::AgentJwt;
using protocol::AuthToken;
using rpc::Caller;

Result<AccessToken> answer(const rpc::AccessTokens& tokens, const rpc::AccessTokens::Wish& wish) {
    AccessToken token;
    REKEY_TRY_ASSIGN(text, tokens.issue(wish));
    token.access_token = std::move(text);
    token.expires_in = std::chrono::floor<std::chrono::seconds>(wish.life).count();
    return token;
}

std::vector<std::string> scope_of(const Caller& caller) {
    std::vector<std::string> scope;
    for (const std::string& one :
         caller.key_capabilities ? *caller.key_capabilities : caller.capabilities) {
        if (caller.may(one)) scope.push_back(one);
    }
    return scope;
}

Result<AccessToken> make_token(const Parts& parts, const Caller& caller) {
    // Else one that leaked could be renewed for ever.
    if (caller.token) {
        return Error(Code::permission_denied,
                     "an access token makes no other: show the API key itself");
    }
    rpc::AccessTokens::Wish wish;
    wish.agent_id = caller.agent_id;
    wish.epoch = caller.epoch;
    wish.key_id = caller.key_id;
    wish.scope = scope_of(caller);
    wish.life = std::chrono::minutes(parts.settings.snapshot()->jwt_minutes);
    if (caller.key_ends_at) {
        wish.life = std::min(wish.life, *caller.key_ends_at - parts.clock.now());
    }
    return answer(parts.tokens, wish);
}

Result<AccessToken> make_session_token(const Parts& parts, const sessions::AgentCaller& caller,
                                       const AgentJwt::Params& params) {
    rpc::AccessTokens::Wish wish;
    const auto look = [&](storage::Transaction& transaction) -> Result<> {
        REKEY_TRY_ASSIGN(row, sessions::require_still(transaction, caller));
        REKEY_TRY_ASSIGN(capabilities, transaction.capabilities().list(caller.agent_id));
        wish.epoch = row.credentials.epoch;
        wish.scope = std::move(capabilities);
        return {};
    };
    REKEY_TRY(parts.store.read_here(look));
    wish.agent_id = caller.agent_id;
    wish.audience = params.audience.value_or("");
    wish.life = std::chrono::minutes(parts.settings.snapshot()->jwt_minutes);
    return answer(parts.tokens, wish);
}

}  // namespace

void bind_auth(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AuthToken>([&parts](const Caller& caller, AuthToken::Params /*nothing*/) {
        return make_token(parts, caller);
    });
}

void bind_agent_jwt(sessions::AgentRequests& requests, const Parts& parts) {
    requests.bind<AgentJwt>(
        [&parts](const sessions::AgentCaller& caller, const AgentJwt::Params& params) {
            return make_session_token(parts, caller, params);
        });
}

}  // namespace rekey::server::methods
