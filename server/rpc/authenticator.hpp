#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "server/rpc/access_tokens.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/key_use.hpp"
#include "server/rpc/task.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>

namespace rekey::server::rpc {

// Who shows this credential: an API key or an access token, the same at every admin door. Reads the
// rows on the caller's own thread (Store::read_here). Safe from any thread.
class Authenticator {
  public:
    struct Parts {
        storage::Store& store;
        const Clock& clock;
        const AccessTokens& tokens;
        KeyUse& uses;
    };
    explicit Authenticator(Parts parts) : parts_(parts) {}

    // The first use of an API key is durable before this answers: rotating again relies on it, and
    // from then on its sealed answer is gone. Errors: `unknown_credential`, `token_expired`,
    // `agent_suspended`, `agent_revoked`; `unavailable` when the first use cannot be written.
    [[nodiscard]] Task<Result<Caller>> authenticate(std::string_view credential,
                                                    std::string address,
                                                    std::string request_id = {}) const;

    // For the audit of one that was refused: the id that it claims (RefusedAuthentications), of a
    // token only if its signature held.
    [[nodiscard]] std::string claimed_id(std::string_view credential) const;

    // The same caller now: what it is, and the times and the signing key of its token.
    [[nodiscard]] Result<Caller> again(const Caller& caller) const;

  private:
    [[nodiscard]] Result<Caller> look(std::string_view credential, Time now) const;
    [[nodiscard]] Task<Result<bool>> mark_first_use(const Caller& caller, Time now) const;

    Parts parts_;
};

}  // namespace rekey::server::rpc
