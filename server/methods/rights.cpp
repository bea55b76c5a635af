#include "server/methods/rights.hpp"

#include <string>

namespace rekey::server::methods {

Result<rpc::Caller> require_now(storage::Transaction& transaction, const rpc::Caller& caller,
                                std::string_view capability, Time now) {
    REKEY_TRY_ASSIGN(again, rpc::read_again(transaction, caller, now));
    if (!again.may(capability)) return permission_denied(capability);
    return std::move(again);
}

Result<> require_as_much_as(storage::Transaction& transaction, std::string_view agent_id,
                            const rpc::Caller& caller) {
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(agent_id));
    for (const std::string& capability : held)
        if (!caller.may(capability)) return permission_denied(capability);
    return {};
}

Result<> require_another(const rpc::Caller& caller, std::string_view agent_id,
                         std::string_view what) {
    if (agent_id != caller.agent_id) return {};
    return Error(Code::permission_denied, "nobody " + std::string(what));
}

}  // namespace rekey::server::methods
