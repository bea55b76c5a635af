#include "cli/verbs/rotations.hpp"

#include "base/ids.hpp"
#include "cli/agent_names.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"

namespace rekey::cli {
namespace {

using protocol::RotationsCancel;

Result<Answer<RotationsCancel::Result>> cancel(Context& context, const std::string& what) {
    RotationsCancel::Params params;
    if (is_uuid(what)) {
        params.rotation_id = what;
        auto answer = call<RotationsCancel>(context.api, params);
        if (answer.has_value() || answer.error().code() != Code::not_found) return answer;
        // Both are UUIDs, so it may have been the agent's.
        params.rotation_id.reset();
    }
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, what));
    params.agent_id = agent.agent_id;
    return call<RotationsCancel>(context.api, params);
}

}  // namespace

Result<ExitCode> list_rotations(Context& context, const ListRotationsOptions& options) {
    protocol::RotationsList::Params params;
    if (options.agent) {
        REKEY_TRY_ASSIGN(agent, find_agent(context.api, *options.agent));
        params.agent_id = agent.agent_id;
    }
    params.status = options.status;
    REKEY_TRY_ASSIGN(answer, read_pages<protocol::RotationsList>(
                                 context, params, &protocol::RotationsList::Result::rotations,
                                 "rotations", options.limit));
    print(context, answer.json, [&] {
        return rotations_table(answer.value.rotations, names_by_id(context.api),
                               context.clock.now());
    });
    if (answer.value.next_cursor)
        hint(context,
             fmt::format("\nThere are older ones; more with --limit {}", options.limit * 10));
    return ExitCode::ok;
}

Result<ExitCode> get_rotation(Context& context, const std::string& rotation_id) {
    if (!is_uuid(rotation_id))
        return with_way_out(
            Error(Code::invalid_params, fmt::format("{} is no id of a rotation", rotation_id)),
            fmt::format("An agent's rotations: rekeyctl rotations list --agent {}", rotation_id));
    REKEY_TRY_ASSIGN(answer, call<protocol::RotationsGet>(context.api, {rotation_id}));
    print(context, answer.json, [&] { return rotation_record(answer.value, context.clock.now()); });
    return ExitCode::ok;
}

Result<ExitCode> cancel_rotation(Context& context, const std::string& what) {
    auto answer = cancel(context, what);
    if (answer.has_error() && answer.error().code() == Code::wrong_state)
        return with_way_out(Error(answer.error()),
                            "A token that was offered may have been saved, so it is never "
                            "withdrawn; only a rotation that waits for an agent can be cancelled");
    if (answer.has_error()) return std::move(answer).error();
    print(context, answer->json, [&] { return fmt::format("{}: cancelled\n", printable(what)); });
    return ExitCode::ok;
}

}  // namespace rekey::cli
