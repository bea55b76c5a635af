#include "cli/verbs/capabilities.hpp"

#include "cli/agent_names.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/methods/capabilities.hpp"

namespace rekey::cli {
namespace {

Table capabilities_table(const std::vector<protocol::CapabilityView>& capabilities) {
    Table table({{"NAME", Column::Fit::whole},
                 {"OF", Column::Fit::leave_out},
                 {"DESCRIPTION", Column::Fit::cut}});
    for (const auto& one : capabilities)
        table.add({{printable(one.name)},
                   {one.built_in ? "Rekey" : "this server"},
                   {one.description.empty() ? "-" : printable(one.description)}});
    return table;
}

}  // namespace

Result<ExitCode> list_capabilities(Context& context) {
    using List = protocol::CapabilitiesList;
    REKEY_TRY_ASSIGN(answer, read_pages<List>(context, {}, &List::Result::capabilities,
                                              "capabilities", kNoLimit));
    print(context, answer.json, [&] { return capabilities_table(answer.value.capabilities); });
    return ExitCode::ok;
}

Result<ExitCode> create_capability(Context& context, const CreateCapabilityOptions& options) {
    REKEY_TRY_ASSIGN(answer, call<protocol::CapabilitiesCreate>(
                                 context.api, {options.name, options.description}));
    print(context, answer.json, [&] { return capabilities_table({answer.value}); });
    hint(context, fmt::format("\nTo grant it: rekeyctl capabilities grant AGENT {}", options.name));
    return ExitCode::ok;
}

Result<ExitCode> grant_capability(Context& context, const GrantOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.agent));
    protocol::CapabilitiesGrant::Params params;
    params.agent_id = agent.agent_id;
    params.capability = options.capability;
    REKEY_TRY_ASSIGN(answer, call<protocol::CapabilitiesGrant>(context.api, params));
    print(context, answer.json, [&] {
        return fmt::format("{} {} {}.\n", printable(agent.name),
                           answer.value.already_granted ? "had" : "now has",
                           printable(answer.value.grant.capability));
    });
    return ExitCode::ok;
}

Result<ExitCode> revoke_capability(Context& context, const GrantOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.agent));
    protocol::CapabilitiesRevoke::Params params;
    params.agent_id = agent.agent_id;
    params.capability = options.capability;
    REKEY_TRY_ASSIGN(answer, call<protocol::CapabilitiesRevoke>(context.api, params));
    print(context, answer.json, [&] {
        return fmt::format("{} has {} no more.\n", printable(agent.name),
                           printable(answer.value.capability));
    });
    return ExitCode::ok;
}

}  // namespace rekey::cli
