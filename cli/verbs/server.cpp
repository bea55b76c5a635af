#include "cli/verbs/server.hpp"

#include "cli/agent_names.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/json_text.hpp"

#include <fmt/ranges.h>

#include <istream>
#include <ostream>
#include <utility>

namespace rekey::cli {
namespace {

// Numbers and true/false as JSON, everything else as a word.
boost::json::value setting_value(const std::string& text) {
    auto value = protocol::parse_json(text);
    if (value.has_value() && (value->is_number() || value->is_bool())) return std::move(*value);
    return boost::json::string(text);
}

Error unknown_setting(Code code, const std::string& name, const boost::json::object& settings) {
    std::vector<std::string> known;
    for (const auto& member : settings) known.emplace_back(member.key());
    const std::vector<std::string> near = nearest_names(name, known);
    return with_way_out(Error(code, fmt::format("no setting is called {}", printable(name))),
                        near.empty() ? std::string("All settings: rekeyctl settings list")
                                     : fmt::format("Did you mean {}?", fmt::join(near, " or ")));
}

// A name that the server refuses is a typing error, or one of those that are fixed at its start.
Error explain_settings(Context& context, const boost::json::object& wanted, const Error& refusal) {
    if (refusal.code() != Code::invalid_params) return refusal;
    const auto now = call<protocol::SettingsGet>(context.api, {});
    if (now.has_error()) return refusal;
    for (const auto& member : wanted) {
        if (now->value.settings.contains(member.key())) continue;
        const std::string name(member.key());
        if (now->value.read_only && now->value.read_only->contains(name))
            return bad_argument(fmt::format("{} is fixed while the server runs", printable(name)),
                                "It is a flag of rekeyd, a variable or a line of its file; change "
                                "it there and start rekeyd again");
        return unknown_setting(Code::invalid_params, name, now->value.settings);
    }
    return refusal;
}

// At most `max_bytes` of standard input; more is an error.
Result<std::string> read_input(std::istream& in, std::size_t max_bytes) {
    std::string text;
    char buffer[4096];
    while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
        text.append(buffer, static_cast<std::size_t>(in.gcount()));
        if (text.size() > max_bytes)
            return bad_argument(
                fmt::format("the params on standard input are over {} bytes", max_bytes),
                "A message to the server can be no larger");
    }
    return text;
}

}  // namespace

Result<ExitCode> show_info(Context& context) {
    REKEY_TRY_ASSIGN(answer, call<protocol::SystemInfo>(context.api, {}));
    print(context, answer.json, [&] { return info_record(answer.value, context.clock.now()); });
    return ExitCode::ok;
}

Result<ExitCode> list_settings(Context& context) {
    REKEY_TRY_ASSIGN(answer, call<protocol::SettingsGet>(context.api, {}));
    print(context, answer.json, [&] { return settings_table(answer.value); });
    return ExitCode::ok;
}

Result<ExitCode> get_setting(Context& context, const std::string& name) {
    REKEY_TRY_ASSIGN(answer, call<protocol::SettingsGet>(context.api, {}));
    const boost::json::value* value = answer.value.settings.if_contains(name);
    if (value == nullptr && answer.value.read_only)
        value = answer.value.read_only->if_contains(name);
    if (value == nullptr) return unknown_setting(Code::not_found, name, answer.value.settings);
    print(context, answer.json, [&] { return setting_text(*value) + "\n"; });
    return ExitCode::ok;
}

Result<ExitCode> set_settings(Context& context, const std::vector<std::string>& assignments) {
    protocol::SettingsSet::Params params;
    for (const std::string& assignment : assignments) {
        const std::size_t equals = assignment.find('=');
        if (equals == 0 || equals == std::string::npos)
            return bad_argument(fmt::format("{} sets nothing", printable(assignment)),
                                "Write NAME=VALUE, as in: rekeyctl settings set "
                                "heartbeat_seconds=15");
        params.settings[assignment.substr(0, equals)] =
            setting_value(assignment.substr(equals + 1));
    }
    auto set = call<protocol::SettingsSet>(context.api, params);
    if (set.has_error()) return explain_settings(context, params.settings, set.error());
    const auto& answer = *set;
    print(context, answer.json, [&] {
        std::string text;
        for (const auto& member : params.settings) {
            const auto* value = answer.value.settings.if_contains(member.key());
            text += fmt::format("{} = {}\n", std::string_view(member.key()),
                                value == nullptr ? "?" : setting_text(*value));
        }
        return text;
    });
    return ExitCode::ok;
}

Result<ExitCode> call_method(Context& context, const CallOptions& options) {
    std::string params = options.params;
    if (params == "-") {
        REKEY_TRY_ASSIGN(text, read_input(context.console.in, limits::kMessageBytes));
        params = std::move(text);
    }
    if (params.find_first_not_of(" \t\r\n") == std::string::npos) params.clear();
    if (!params.empty()) {
        const auto value = protocol::parse_json(params);
        if (value.has_error() || !value->is_object())
            return bad_argument("the params are no JSON object",
                                "Quote them for the shell, as in: rekeyctl call agents.list "
                                R"('{"limit": 5}', or give them on standard input with -)");
        params.clear();
        protocol::append_json_value(params, *value);
    }
    REKEY_TRY_ASSIGN(result, context.api.call(options.method, params));
    context.console.out.stream << pretty_json(result);
    return ExitCode::ok;
}

}  // namespace rekey::cli
