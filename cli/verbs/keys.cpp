#include "cli/verbs/keys.hpp"

#include "base/ids.hpp"
#include "cli/agent_names.hpp"
#include "cli/time_text.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/methods/auth.hpp"
#include "protocol/methods/keys.hpp"

#include <utility>

namespace rekey::cli {
namespace {

using protocol::ApiKeyView;

std::string joined(const std::optional<std::vector<std::string>>& capabilities) {
    if (!capabilities) return "all of the agent's";
    std::string text;
    for (const std::string& one : *capabilities)
        text.append(text.empty() ? "" : " ").append(printable(one));
    return text.empty() ? "none" : text;
}

Cell state_cell(const ApiKeyView& key) {
    if (!key.works) return {key.revoked_at ? "revoked" : "over", {}, Tone::bad};
    if (key.valid_until) return {"rotated", {}, Tone::waiting};
    return {"works", {}, Tone::good};
}

// Whichever comes first: its expiry, or the end of its grace.
Cell end_cell(const ApiKeyView& key, Time now) {
    return time_cell(key.valid_until ? key.valid_until : key.expires_at, now);
}

Table keys_table(const std::vector<ApiKeyView>& keys, Time now) {
    Table table({{"NAME", Column::Fit::cut},
                 {"STATE"},
                 {"ENDS"},
                 {"LAST USED"},
                 {"CAPABILITIES", Column::Fit::cut},
                 {"KEY ID"}});
    for (const ApiKeyView& key : keys)
        table.add({{printable(key.name)},
                   state_cell(key),
                   end_cell(key, now),
                   time_cell(key.last_used_at, now),
                   {joined(key.capabilities)},
                   {printable(key.key_id)}});
    return table;
}

struct FoundKey {
    NamedAgent agent;
    std::string key_id;
};

Result<FoundKey> find_key(Api& api, const KeyName& name) {
    REKEY_TRY_ASSIGN(agent, find_agent(api, name.agent));
    if (is_uuid(name.key)) return FoundKey{agent, name.key};
    REKEY_TRY_ASSIGN(answer, call<protocol::KeysList>(api, {agent.agent_id}));
    const ApiKeyView* found = nullptr;
    for (const ApiKeyView& key : answer.value.keys) {
        if (key.name != name.key || !key.works) continue;
        if (found != nullptr)
            return bad_argument(
                fmt::format("more than one key is called {}", printable(name.key)),
                fmt::format("Name it by its id: rekeyctl keys list {}", printable(name.agent)));
        found = &key;
    }
    if (found == nullptr)
        return with_way_out(
            Error(Code::not_found, fmt::format("no working key of {} is called {}",
                                               printable(name.agent), printable(name.key))),
            fmt::format("To see them: rekeyctl keys list {}", printable(name.agent)));
    return FoundKey{agent, found->key_id};
}

// Printed because that is what was asked for: it is shown only this once.
template <class Value>
void show_key(Context& context, ShowKey show, const Answer<Value>& answer, Record more) {
    if (show == ShowKey::alone) {
        context.console.out.stream << answer.value.key.expose() << '\n';
        return;
    }
    print(context, answer.json, [&] {
        Record record{{"key", {printable(answer.value.key.expose())}},
                      {"key id", {printable(answer.value.key_id)}},
                      {"expires", time_cell(answer.value.expires_at, context.clock.now())}};
        for (auto& line : more) record.push_back(std::move(line));
        return record;
    });
    hint(context, "\nKeep the key now: it is not shown again.");
}

}  // namespace

Result<ExitCode> create_key(Context& context, const CreateKeyOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.agent));
    protocol::KeysCreate::Params params;
    params.agent_id = agent.agent_id;
    params.name = options.name;
    if (!options.capabilities.empty()) params.capabilities = options.capabilities;
    if (options.days) params.expires_at = context.clock.now() + std::chrono::days(*options.days);
    REKEY_TRY_ASSIGN(answer, call<protocol::KeysCreate>(context.api, params));
    show_key(context, options.show, answer,
             {{"capabilities", {joined(answer.value.capabilities)}}});
    return ExitCode::ok;
}

Result<ExitCode> list_keys(Context& context, const std::string& name) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, name));
    REKEY_TRY_ASSIGN(answer, call<protocol::KeysList>(context.api, {agent.agent_id}));
    print(context, answer.json, [&] { return keys_table(answer.value.keys, context.clock.now()); });
    if (answer.value.keys.empty())
        hint(context,
             fmt::format("It has none. To make one: rekeyctl keys create {} KEY", printable(name)));
    return ExitCode::ok;
}

Result<ExitCode> rotate_key(Context& context, const RotateKeyOptions& options) {
    REKEY_TRY_ASSIGN(found, find_key(context.api, options.key));
    protocol::KeysRotate::Params params;
    params.key = {found.agent.agent_id, found.key_id};
    params.grace_period_hours = options.grace_hours;
    REKEY_TRY_ASSIGN(answer, call<protocol::KeysRotate>(context.api, params));
    show_key(context, options.show, answer,
             {{"old key works until",
               time_cell(answer.value.previous_valid_until, context.clock.now())}});
    return ExitCode::ok;
}

Result<ExitCode> revoke_key(Context& context, const KeyName& key) {
    REKEY_TRY_ASSIGN(found, find_key(context.api, key));
    REKEY_TRY_ASSIGN(answer,
                     call<protocol::KeysRevoke>(context.api, {found.agent.agent_id, found.key_id}));
    print(context, answer.json, [&] { return keys_table({answer.value}, context.clock.now()); });
    return ExitCode::ok;
}

Result<ExitCode> print_token(Context& context) {
    REKEY_TRY_ASSIGN(answer, call<protocol::AuthToken>(context.api, {}));
    print(context, answer.json,
          [&] { return std::string(answer.value.access_token.expose()) + "\n"; });
    return ExitCode::ok;
}

}  // namespace rekey::cli
