#pragma once

#include "base/result.hpp"
#include "cli/api.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::cli {

struct NamedAgent {
    std::string agent_id;
    std::string name;  // the id again if it was given by id
};

// Methods name agents by id; people by name. An id (36 characters of a UUID) is taken as it is.
// `not_found` for an unknown name, with the nearest known ones.
[[nodiscard]] Result<NamedAgent> find_agent(Api& api, const std::string& name_or_id);

// The same for many, with few calls. Duplicates are dropped.
[[nodiscard]] Result<std::vector<NamedAgent>> find_agents(Api& api,
                                                          std::span<const std::string> names);

// Id to name, for showing: of at most `pages` pages of agents. Empty if this key may not read
// agents, because then ids have to do.
using NamesById = std::map<std::string, std::string>;
inline constexpr int kAllPages = 1'000'000;
[[nodiscard]] NamesById names_by_id(Api& api, int pages = 4);
// Printable; the id itself if there is no name for it.
[[nodiscard]] std::string name_or_id(const NamesById& names, const std::string& agent_id);

// Those of `known` that somebody who wrote `wanted` may have meant, the nearest first, at most
// three.
[[nodiscard]] std::vector<std::string> nearest_names(std::string_view wanted,
                                                     const std::vector<std::string>& known);

}  // namespace rekey::cli
