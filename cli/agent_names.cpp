#include "cli/agent_names.hpp"

#include "base/ids.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "protocol/methods/agents.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace rekey::cli {
namespace {

using protocol::AgentsList;

// From this many names on it is cheaper to read the whole list.
constexpr std::size_t kManyNames = 8;
constexpr std::size_t kSuggestions = 3;

// Calls `visit` with each agent until there are no more, or no more pages are wanted.
template <class Visit>
Result<> each_agent(Api& api, int pages, Visit visit) {
    AgentsList::Params params;
    params.limit = static_cast<std::int64_t>(limits::kPageRows);
    for (int page = 0; page < pages; ++page) {
        REKEY_TRY_ASSIGN(answer, call<AgentsList>(api, params));
        for (const auto& agent : answer.value.agents) visit(agent);
        if (!answer.value.next_cursor) break;
        params.cursor = answer.value.next_cursor;
    }
    return {};
}

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < left.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < right.size(); ++j) {
            const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

Error unknown_name(Api& api, const std::string& wanted) {
    std::vector<std::string> known;
    // Without them there is simply nothing to suggest.
    (void)each_agent(api, 1, [&](const auto& agent) { known.push_back(printable(agent.name)); });
    const std::vector<std::string> near = nearest_names(wanted, known);
    std::string way_out = near.empty() ? std::string("All names: rekeyctl agents list")
                                       : fmt::format("Did you mean {}?", fmt::join(near, " or "));
    return with_way_out(Error(Code::not_found, fmt::format("no agent is called {}", wanted)),
                        way_out);
}

}  // namespace

Result<NamedAgent> find_agent(Api& api, const std::string& name_or_id) {
    if (is_uuid(name_or_id)) return NamedAgent{name_or_id, name_or_id};
    AgentsList::Params params;
    params.name = name_or_id;
    params.limit = 1;
    auto answer = call<AgentsList>(api, params);
    // A name that no agent can have is refused as invalid_params; to the user it is unknown.
    if (answer.has_error() && answer.error().code() != Code::invalid_params)
        return std::move(answer).error();
    if (answer.has_error() || answer->value.agents.empty()) return unknown_name(api, name_or_id);
    const auto& agent = answer->value.agents.front();
    return NamedAgent{agent.agent_id, agent.name};
}

Result<std::vector<NamedAgent>> find_agents(Api& api, std::span<const std::string> names) {
    std::map<std::string, std::string> ids;
    if (names.size() >= kManyNames)
        REKEY_TRY(each_agent(api, kAllPages,
                             [&](const auto& agent) { ids[agent.name] = agent.agent_id; }));
    std::vector<NamedAgent> found;
    std::set<std::string> seen;
    for (const std::string& name : names) {
        std::optional<NamedAgent> agent;
        if (const auto known = ids.find(name); known != ids.end()) {
            agent = NamedAgent{known->second, name};
        } else {
            REKEY_TRY_ASSIGN(looked_up, find_agent(api, name));
            agent = std::move(looked_up);
        }
        if (seen.insert(agent->agent_id).second) found.push_back(std::move(*agent));
    }
    return found;
}

NamesById names_by_id(Api& api, int pages) {
    NamesById names;
    // What was read before a failure is still worth showing.
    (void)each_agent(api, pages, [&](const auto& agent) { names[agent.agent_id] = agent.name; });
    return names;
}

std::string name_or_id(const NamesById& names, const std::string& agent_id) {
    const auto found = names.find(agent_id);
    return printable(found == names.end() ? agent_id : found->second);
}

std::vector<std::string> nearest_names(std::string_view wanted,
                                       const std::vector<std::string>& known) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const std::string& name : known) {
        const bool contained = wanted.size() >= 3 && name.find(wanted) != std::string::npos;
        const std::size_t steps = distance(wanted, name);
        // Two letters that changed places are two steps.
        const std::size_t least = wanted.size() < 4 ? 1 : 2;
        const std::size_t allowed = std::max<std::size_t>(least, wanted.size() / 3);
        if (contained || steps <= allowed) ranked.emplace_back(contained ? 1 : steps, name);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::string> nearest;
    for (auto& [steps, name] : ranked) {
        if (nearest.size() == kSuggestions) break;
        nearest.push_back(std::move(name));
    }
    return nearest;
}

}  // namespace rekey::cli
