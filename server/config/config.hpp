#pragma once

#include "base/result.hpp"
#include "server/config/command_line.hpp"
#include "server/config/flags.hpp"
#include "server/setting_layers.hpp"

#include <map>
#include <string>
#include <vector>

namespace rekey::server::config {

using Environment = std::map<std::string, std::string, std::less<>>;

// All that this process was told: flag over environment over file over default.
struct Config {
    ProcessOptions options;
    SettingLayers settings;
    // REKEY_* variables that mean nothing here: one warning names them all.
    std::vector<std::string> unknown_variables;
};

// `invalid_params` names flag, variable or file and key, and what belongs there.
[[nodiscard]] Result<Config> load_config(const CommandLine& line, const Environment& environment);

// This process's own.
[[nodiscard]] Environment read_environment();

}  // namespace rekey::server::config
