#include "cli/verbs/why.hpp"

#include "cli/agent_names.hpp"
#include "cli/time_text.hpp"
#include "cli/verbs/print.hpp"
#include "protocol/methods/agents_why.hpp"

namespace rekey::cli {
namespace {

Tone tone_of(protocol::FindingLevel level) {
    switch (level) {
        case protocol::FindingLevel::ok:
            return Tone::good;
        case protocol::FindingLevel::waiting:
            return Tone::waiting;
        default:
            return Tone::bad;
    }
}

// A paragraph a finding: its name as the heading, since it is what the documentation explains.
std::string text_of(const protocol::AgentsWhy::Result& why, const Screen& screen, Time now) {
    std::string text;
    for (const protocol::Finding& finding : why.findings) {
        if (!text.empty()) text += '\n';
        text += painted(printable(finding.name), tone_of(finding.level), screen);
        if (finding.level == protocol::FindingLevel::alarm) text += "  ALARM";
        if (finding.since) text += fmt::format("  since {}", time_text(*finding.since, now));
        text += fmt::format("\n  {}\n", printable(finding.text));
        if (finding.advice) text += fmt::format("  To do: {}\n", printable(*finding.advice));
    }
    return text;
}

}  // namespace

Result<ExitCode> explain_agent(Context& context, const std::string& name) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, name));
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsWhy>(context.api, {agent.agent_id}));
    print(context, answer.json,
          [&] { return text_of(answer.value, context.console.out, context.clock.now()); });
    return ExitCode::ok;
}

}  // namespace rekey::cli
