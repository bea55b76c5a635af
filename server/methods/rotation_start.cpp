#include "base/time_format.hpp"
#include "protocol/errors.hpp"
#include "protocol/methods/rotations.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rotation_view.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <utility>
#include <vector>

// rotations.start: one agent, some, or all.
namespace rekey::server::methods {
namespace {

using protocol::RotationsStart;
using protocol::StartedRotation;
using rpc::Caller;
using rpc::Task;

rotation::StartRequest request_for(const std::string& agent_id, const Caller& caller,
                                   storage::RotationCause cause) {
    rotation::StartRequest request;
    request.agent_id = agent_id;
    request.cause = cause;
    request.actor = caller.agent_id;
    request.details = rpc::audit_details(caller);
    // A fleet takes a while: who is revoked meanwhile starts nothing more (S8).
    request.still_allowed = [caller](storage::Transaction& transaction, Time now) {
        return rpc::require_still(transaction, caller, RotationsStart::access.capability, now);
    };
    return request;
}

// When may_begin would allow it, if it was the grace that it refused for.
std::optional<Time> not_before_of(const Error& error) {
    const auto* details = error.details();
    const auto* text = details == nullptr ? nullptr : details->if_contains("not_before");
    if (text == nullptr) return std::nullopt;
    const auto time = parse_rfc3339(text->as_string());
    return time.has_value() ? std::optional(*time) : std::nullopt;
}

StartedRotation to_wire(const std::string& agent_id, const Result<rotation::RotationView>& view) {
    StartedRotation started;
    started.agent_id = agent_id;
    if (view.has_error()) {
        started.error = protocol::error_body(view.error());
        started.not_before = not_before_of(view.error());
        if (started.not_before) started.status = protocol::RotationStatus::in_grace;
        return started;
    }
    started.status = methods::to_wire(view->status);
    started.rotation_id = view->rotation_id;
    started.generation = view->generation;
    if (view->already_pending) started.already_pending = true;
    return started;
}

// Some agents at once, so that their transactions share a commit.
class Batch : public std::enable_shared_from_this<Batch> {
  public:
    Batch(std::vector<std::string> agent_ids,
          std::function<void(std::vector<StartedRotation>)> done)
        : agent_ids_(std::move(agent_ids)),
          started_(agent_ids_.size()),
          missing_(agent_ids_.size()),
          done_(std::move(done)) {}

    void run(rotation::Coordinator& coordinator, const Caller& caller,
             storage::RotationCause cause) {
        for (std::size_t index = 0; index < agent_ids_.size(); ++index) {
            coordinator.start(
                request_for(agent_ids_[index], caller, cause),
                [self = shared_from_this(), index](const auto& view) { self->take(index, view); });
        }
    }

  private:
    // Each slot is written by one answer; the counter orders them before the last one reads.
    void take(std::size_t index, const Result<rotation::RotationView>& view) {
        started_[index] = to_wire(agent_ids_[index], view);
        if (missing_.fetch_sub(1) == 1) done_(std::move(started_));
    }

    std::vector<std::string> agent_ids_;
    std::vector<StartedRotation> started_;
    std::atomic<std::size_t> missing_;
    std::function<void(std::vector<StartedRotation>)> done_;
};

Task<std::vector<StartedRotation>> start_batch(const Parts& parts, std::vector<std::string> ids,
                                               Caller caller, storage::RotationCause cause) {
    if (ids.empty()) co_return std::vector<StartedRotation>();
    auto run = [&](auto answer) {
        std::make_shared<Batch>(std::move(ids), std::move(answer))
            ->run(parts.coordinator, caller, cause);
    };
    co_return co_await rpc::await_callback<std::vector<StartedRotation>>(std::move(run));
}

struct Selection {
    std::vector<std::string> agent_ids;
    std::string next;  // empty: no more
};

// Active agents that hold a token or were given one: the others have nothing to rotate.
Result<Selection> select(storage::Transaction& transaction, const std::string& after) {
    storage::AgentFilter filter;
    filter.status = storage::AgentStatus::active;
    REKEY_TRY_ASSIGN(rows, transaction.agents().list(filter, after, limits::kPageRows));
    Selection selection;
    for (const auto& row : rows) {
        if (row.credentials.current || row.credentials.pending) {
            selection.agent_ids.push_back(row.agent_id);
        }
    }
    if (rows.size() == limits::kPageRows) selection.next = rows.back().agent_id;
    return selection;
}

void keep(std::vector<StartedRotation>& all, std::vector<StartedRotation> more) {
    for (auto& one : more) {
        if (all.size() == limits::kRotationsAnAnswer) return;
        all.push_back(std::move(one));
    }
}

Task<std::vector<StartedRotation>> start_many(const Parts& parts, std::vector<std::string> ids,
                                              Caller caller, storage::RotationCause cause) {
    std::vector<StartedRotation> all;
    for (std::size_t begin = 0; begin < ids.size(); begin += limits::kRotationStartsInFlight) {
        const std::size_t end = std::min(ids.size(), begin + limits::kRotationStartsInFlight);
        std::vector<std::string> part(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                      ids.begin() + static_cast<std::ptrdiff_t>(end));
        auto started = co_await start_batch(parts, std::move(part), caller, cause);
        keep(all, std::move(started));
    }
    co_return all;
}

// Starts every agent; the answer names the first limits::kRotationsAnAnswer.
Task<Result<std::vector<StartedRotation>>> start_all(const Parts& parts, Caller caller,
                                                     storage::RotationCause cause) {
    using Started = std::vector<StartedRotation>;
    Started all;
    std::string after;
    do {
        auto unit = [after](storage::Transaction& transaction) {
            return select(transaction, after);
        };
        auto page = co_await rpc::read_from<Selection>(parts.store, std::move(unit));
        if (page.has_error()) co_return Result<Started>(page.error());
        after = page->next;
        auto started = co_await start_many(parts, std::move(page->agent_ids), caller, cause);
        keep(all, std::move(started));
    } while (!after.empty());
    co_return Result<Started>(std::move(all));
}

Task<Result<RotationsStart::Result>> start_one(const Parts& parts, std::string agent_id,
                                               Caller caller, storage::RotationCause cause) {
    using View = Result<rotation::RotationView>;
    auto ask = [&](auto answer) {
        parts.coordinator.start(request_for(agent_id, caller, cause), std::move(answer));
    };
    const View view = co_await rpc::await_callback<View>(std::move(ask));
    if (view.has_error()) co_return Result<RotationsStart::Result>(view.error());
    StartedRotation started = to_wire(agent_id, view);
    RotationsStart::Result result;
    result.agent_id = std::move(started.agent_id);
    result.status = started.status;
    result.rotation_id = std::move(started.rotation_id);
    result.generation = started.generation;
    result.already_pending = started.already_pending;
    co_return Result<RotationsStart::Result>(std::move(result));
}

Task<Result<RotationsStart::Result>> start(const Parts& parts, const Caller& caller,
                                           RotationsStart::Params params) {
    const auto cause =
        params.force ? storage::RotationCause::emergency : storage::RotationCause::admin;
    if (params.agent_id) {
        co_return co_await start_one(parts, *params.agent_id, caller, cause);
    }
    RotationsStart::Result result;
    if (params.all) {
        auto all = co_await start_all(parts, caller, cause);
        if (all.has_error()) co_return Result<RotationsStart::Result>(all.error());
        result.rotations = *std::move(all);
    } else {
        auto ids = std::move(*params.agent_ids);
        result.rotations = co_await start_many(parts, std::move(ids), caller, cause);
    }
    co_return Result<RotationsStart::Result>(std::move(result));
}

}  // namespace

void bind_rotation_start(rpc::Registry& registry, const Parts& parts) {
    registry.bind<RotationsStart>([&parts](const Caller& caller, RotationsStart::Params params) {
        return start(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
