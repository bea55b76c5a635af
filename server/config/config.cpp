#include "server/config/config.hpp"

#include "protocol/settings.hpp"
#include "server/config/env_file.hpp"
#include "server/config/file.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace rekey::server::config {
namespace {

// What rekey-agent and rekeyctl read; a shell may have them set for all.
constexpr std::array<std::string_view, 6> kVariablesOfOthers{"REKEY_STATE",        "REKEY_JOIN",
                                                             "REKEY_SERVER",       "REKEY_API_KEY",
                                                             "REKEY_API_KEY_FILE", "REKEY_CA_FILE"};

// `where` is "REKEY_HEARTBEAT_SECONDS" or "rekeyd.toml: heartbeat_seconds".
Error name_origin(const Error& error, const std::string& where) {
    std::string_view said = error.message();
    if (const auto* details = error.details()) {
        // It names the field itself: once is enough.
        if (const auto* path = details->if_contains("path")) {
            const std::string name = std::string(path->as_string()) + ": ";
            if (said.starts_with(name) && where.ends_with(path->as_string().c_str()))
                said.remove_prefix(name.size());
        }
    }
    std::string message = where + ": " + std::string(said);
    if (const auto* details = error.details()) {
        if (const auto* expected = details->if_contains("expected")) {
            if (expected->is_string() &&
                message.find(expected->get_string().c_str()) == std::string::npos) {
                message.append("; expected ").append(expected->get_string().c_str());
            }
        }
    }
    return Error(Code::invalid_params, std::move(message));
}

struct Layers {
    FlagTexts flags;  // weaker sources only fill what is missing
    boost::json::object file;
    boost::json::object environment;
    std::vector<std::string> unknown_variables;
};

Result<> read_variables(const Environment& environment, Layers& layers) {
    std::map<std::string, const FlagInfo*, std::less<>> flags;
    for (const FlagInfo& flag : flags_table()) flags[flag_variable(flag)] = &flag;
    std::map<std::string, std::string_view, std::less<>> settings;
    for (const auto& info : protocol::settings_table()) {
        settings[protocol::environment_name(info.name)] = info.name;
    }
    for (const auto& [name, value] : environment) {
        if (!name.starts_with("REKEY_")) continue;
        if (const auto flag = flags.find(name); flag != flags.end()) {
            layers.flags.try_emplace(std::string(flag->second->key), FlagText{value, name});
        } else if (const auto setting = settings.find(name); setting != settings.end()) {
            protocol::Settings scratch;
            const auto stored = protocol::set_setting_text(scratch, setting->second, value);
            if (stored.has_error()) return name_origin(stored.error(), name);
            layers.environment[setting->second] =
                protocol::get_setting(scratch, *protocol::find_setting(setting->second));
        } else if (std::find(kVariablesOfOthers.begin(), kVariablesOfOthers.end(), name) ==
                   kVariablesOfOthers.end()) {
            layers.unknown_variables.push_back(name);
        }
    }
    return {};
}

std::string as_flag_text(const boost::json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

Result<> read_file_layer(const std::string& path, Layers& layers) {
    REKEY_TRY_ASSIGN(values, read_config_file(path));
    for (const auto& [key, value] : values) {
        const std::string name(key);
        const std::string where = fmt::format("{}: {}", path, name);
        // Which files there are has to be known before this one is read.
        const bool is_file = name == "config" || name == "env_file";
        if (!is_file && find_flag(name) != nullptr) {
            layers.flags.try_emplace(name, FlagText{as_flag_text(value), where});
            continue;
        }
        if (protocol::find_setting(name) == nullptr) {
            return Error(Code::invalid_params,
                         where +
                             ": there is no such setting or flag; docs/configuration.md lists "
                             "them all");
        }
        protocol::Settings scratch;
        const auto stored = protocol::set_setting(scratch, name, value);
        if (stored.has_error()) return name_origin(stored.error(), where);
        layers.file[name] = value;
    }
    return {};
}

// As if its variables were set, where they are not.
Result<> read_env_layer(const std::string& path, const Environment& environment, Layers& layers) {
    REKEY_TRY_ASSIGN(variables, read_env_file(path));
    for (const std::string_view name : variables_of_aims()) {
        if (variables.contains(name)) layers.unknown_variables.emplace_back(name);
    }
    std::erase_if(variables, [&](const auto& one) { return environment.contains(one.first); });
    return read_variables(variables, layers);
}

}  // namespace

Result<Config> load_config(const CommandLine& line, const Environment& environment) {
    Layers layers;
    layers.flags = line.flags;
    REKEY_TRY(read_variables(environment, layers));
    if (const auto file = layers.flags.find("env_file"); file != layers.flags.end()) {
        REKEY_TRY(read_env_layer(file->second.text, environment, layers));
    }
    if (const auto file = layers.flags.find("config"); file != layers.flags.end()) {
        REKEY_TRY(read_file_layer(file->second.text, layers));
    }
    REKEY_TRY_ASSIGN(options, read_flags(layers.flags, environment));
    Config config;
    config.options = std::move(options);
    config.settings = SettingLayers(std::move(layers.file), std::move(layers.environment));
    config.unknown_variables = std::move(layers.unknown_variables);
    const auto combined = config.settings.combine({});
    if (combined.has_error()) {
        return name_origin(combined.error(), "settings from file and environment");
    }
    return config;
}

Environment read_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return environment;
}

}  // namespace rekey::server::config
