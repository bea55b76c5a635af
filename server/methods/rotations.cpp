#include "protocol/methods/rotations.hpp"

#include "server/methods/parts.hpp"
#include "server/methods/rotation_view.hpp"
#include "server/rotation/apply.hpp"

#include <algorithm>
#include <utility>

// rotations.get, .list and .cancel.
namespace rekey::server::methods {
namespace {

using protocol::RotationsCancel;
using protocol::RotationsGet;
using protocol::RotationsList;
using protocol::RotationView;
using rpc::Caller;
using rpc::Task;

Task<Result<RotationView>> get(const Parts& parts, std::string rotation_id) {
    auto unit = [&parts, rotation_id](storage::Transaction& transaction) -> Result<RotationView> {
        REKEY_TRY_ASSIGN(row, transaction.rotations().find(rotation_id));
        return view_rotation(transaction, row, parts.coordinator);
    };
    co_return co_await rpc::read_from<RotationView>(parts.store, std::move(unit));
}

// "Came this far" is not a column: pages are read until enough rows fit, or there are no more.
Result<RotationsList::Result> collect(storage::Transaction& transaction, const Parts& parts,
                                      const RotationsList::Params& params) {
    RotationsList::Result page;
    storage::RotationFilter filter;
    filter.agent_id = params.agent_id.value_or("");
    const auto wanted = static_cast<std::size_t>(params.limit);
    const std::size_t chunk =
        params.status ? limits::kPageRows : std::min(limits::kPageRows, wanted + 1);
    std::string after = params.cursor.value_or("");
    for (;;) {
        REKEY_TRY_ASSIGN(rows, transaction.rotations().list(filter, after, chunk));
        for (const auto& row : rows) {
            REKEY_TRY_ASSIGN(view, view_rotation(transaction, row, parts.coordinator));
            if (params.status && view.status != *params.status) continue;
            if (page.rotations.size() == wanted) {
                page.next_cursor = page.rotations.back().rotation_id;
                return page;
            }
            page.rotations.push_back(std::move(view));
        }
        if (rows.size() < chunk) return page;
        after = rows.back().rotation_id;
    }
}

Task<Result<RotationsList::Result>> list(const Parts& parts, RotationsList::Params params) {
    auto unit = [&parts, params](storage::Transaction& transaction) {
        return collect(transaction, parts, params);
    };
    co_return co_await rpc::read_from<RotationsList::Result>(parts.store, std::move(unit));
}

struct Cancellation {
    Caller caller;
    RotationsCancel::Params params;
    Time now;
};

Result<RotationsCancel::Result> cancel_in(storage::Transaction& transaction,
                                          const Cancellation& request) {
    REKEY_TRY(rpc::require_still(transaction, request.caller, "rotations:write", request.now));
    if (request.params.rotation_id) {
        // A rotation has an id from its first offer on, and what was offered may have been saved.
        REKEY_TRY_ASSIGN(rotation, transaction.rotations().find(*request.params.rotation_id));
        return Error(Code::wrong_state,
                     "it was offered already: the agent may have saved the token, so it stays")
            .with("agent_id", boost::json::string(rotation.agent_id));
    }
    REKEY_TRY_ASSIGN(row, transaction.agents().find(*request.params.agent_id));
    REKEY_TRY_ASSIGN(transition, rotation::cancel_request(row.credentials));
    REKEY_TRY(rotation::apply(
        transaction, row, transition,
        {.actor = request.caller.agent_id, .details = rpc::audit_details(request.caller)},
        request.now));
    RotationsCancel::Result result;
    result.agent_id = row.agent_id;
    return result;
}

Task<Result<RotationsCancel::Result>> cancel(const Parts& parts, const Caller& caller,
                                             RotationsCancel::Params params) {
    Cancellation request{caller, std::move(params), parts.clock.now()};
    auto unit = [request](storage::Transaction& transaction) {
        return cancel_in(transaction, request);
    };
    co_return co_await rpc::write_to<RotationsCancel::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_rotations(rpc::Registry& registry, const Parts& parts) {
    registry.bind<RotationsGet>([&parts](const Caller&, RotationsGet::Params params) {
        return get(parts, std::move(params.rotation_id));
    });
    registry.bind<RotationsList>([&parts](const Caller&, RotationsList::Params params) {
        return list(parts, std::move(params));
    });
    registry.bind<RotationsCancel>([&parts](const Caller& caller, RotationsCancel::Params params) {
        return cancel(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
