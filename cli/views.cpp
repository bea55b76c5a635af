#include "cli/views.hpp"

#include "cli/time_text.hpp"
#include "protocol/json_text.hpp"
#include "protocol/settings.hpp"

#include <fmt/format.h>

#include <map>

namespace rekey::cli {
namespace {

using protocol::AgentDetail;
using protocol::AgentStatus;
using protocol::AgentSummary;
using protocol::RotationStatus;
using protocol::RotationView;

constexpr auto kRight = Column::Align::right;
constexpr auto kWhole = Column::Fit::whole;
constexpr auto kCut = Column::Fit::cut;
constexpr auto kLeaveOut = Column::Fit::leave_out;

Cell text_cell(std::string_view text) { return {text.empty() ? "-" : printable(text)}; }
Cell optional_cell(const std::optional<std::string>& text) {
    return text_cell(text ? std::string_view(*text) : std::string_view());
}

Cell agent_status_cell(AgentStatus status) {
    const Tone tone = status == AgentStatus::active      ? Tone::good
                      : status == AgentStatus::suspended ? Tone::waiting
                                                         : Tone::bad;
    return {std::string(protocol::name_of(status)), {}, tone};
}

Cell connection_cell(const AgentSummary& agent) {
    if (agent.connected) return {"connected", {}, Tone::good};
    if (!agent.enrolled && agent.type == "admin") return {"-"};  // has API keys and no daemon
    return {agent.enrolled ? "offline" : "not enrolled", {}, Tone::waiting};
}

// "3", or "3 (+4)" while 4 is offered, or "3 (not confirmed)" until the agent says so.
Cell generation_cell(const AgentSummary& agent) {
    if (agent.pending)
        return {fmt::format("{} (+{} offered)", agent.generation, agent.pending->generation),
                fmt::format("{} +{}", agent.generation, agent.pending->generation), Tone::waiting};
    if (agent.generation == 0) return {"-"};
    if (agent.activated_generation != agent.generation)
        return {fmt::format("{} (not confirmed)", agent.generation),
                fmt::format("{} ?", agent.generation), Tone::waiting};
    return {std::to_string(agent.generation)};
}

// A session that lives was heard a moment ago; what is stored is written now and then.
Cell last_seen_cell(const AgentSummary& agent, Time now) {
    return agent.connected && !agent.last_seen_at ? Cell{"now"}
                                                  : time_cell(agent.last_seen_at, now);
}

Cell expiry_cell(const std::optional<Time>& expires_at, Time now) {
    Cell cell = time_cell(expires_at, now);
    if (expires_at && *expires_at <= now) cell.tone = Tone::bad;
    return cell;
}

Cell labels_cell(const std::map<std::string, std::string>& labels) {
    std::string text;
    for (const auto& [name, value] : labels)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", printable(name), printable(value));
    return text_cell(text);
}

Cell json_cell(const boost::json::object& object) {
    std::string text;
    protocol::append_json_value(text, object);
    return {printable(text)};
}

Cell grants_cell(const std::vector<protocol::GrantView>& grants) {
    std::string text;
    for (const auto& grant : grants)
        text += fmt::format("{}{}", text.empty() ? "" : " ", printable(grant.capability));
    return {text};
}

void add_session(Record& record, const protocol::SessionView& session, Time now) {
    record.emplace_back("connected", time_cell(session.connected_at, now));
    record.emplace_back("address", text_cell(session.address));
    record.emplace_back(
        "machine", Cell{fmt::format("{}, {}", printable(session.hostname), printable(session.os))});
    record.emplace_back("program", text_cell(session.version));
    if (!session.methods.empty()) {
        std::string methods;
        for (const std::string& method : session.methods)
            methods += fmt::format("{}{}", methods.empty() ? "" : " ", printable(method));
        record.emplace_back("methods", Cell{methods});
    }
    record.emplace_back("session token", Cell{fmt::format("generation {}", session.generation)});
}

}  // namespace

Cell time_cell(const std::optional<Time>& time, Time now) {
    if (!time) return {"-"};
    return {time_text(*time, now), relative_time(*time, now)};
}

Cell status_cell(RotationStatus status) {
    const std::string word(protocol::name_of(status));
    switch (status) {
        case RotationStatus::activated:
            return {word, {}, Tone::good};
        case RotationStatus::failing:
        case RotationStatus::ended:
            return {word, {}, Tone::bad};
        default:
            return {word, {}, Tone::waiting};
    }
}

Table agents_table(const std::vector<AgentSummary>& agents, Time now) {
    Table table({{"NAME", kCut},
                 {"STATUS"},
                 {"CONNECTION"},
                 {"GENERATION"},
                 {"TOKEN EXPIRES"},
                 {"LAST SEEN"},
                 {"TYPE", kLeaveOut},
                 {"AGENT ID", kLeaveOut}});
    for (const AgentSummary& agent : agents)
        table.add({text_cell(agent.name), agent_status_cell(agent.status), connection_cell(agent),
                   generation_cell(agent), expiry_cell(agent.token_expires_at, now),
                   last_seen_cell(agent, now), text_cell(agent.type), text_cell(agent.agent_id)});
    return table;
}

Record agent_record(const AgentSummary& agent, Time now) {
    Record record{{"name", text_cell(agent.name)},
                  {"agent id", text_cell(agent.agent_id)},
                  {"type", text_cell(agent.type)},
                  {"status", agent_status_cell(agent.status)},
                  {"connection", connection_cell(agent)},
                  {"owner", optional_cell(agent.owner)},
                  {"labels", labels_cell(agent.labels)},
                  {"created", time_cell(agent.created_at, now)},
                  {"last seen", last_seen_cell(agent, now)},
                  {"generation", generation_cell(agent)},
                  {"token expires", expiry_cell(agent.token_expires_at, now)}};
    if (agent.pending) record.emplace_back("rotation", text_cell(agent.pending->rotation_id));
    return record;
}

Record agent_record(const AgentDetail& agent, Time now) {
    Record record = agent_record(agent.summary, now);
    record.emplace_back("token issued", time_cell(agent.token_issued_at, now));
    record.emplace_back("next rotation", time_cell(agent.rotate_at, now));
    record.emplace_back("rotations", Cell{std::to_string(agent.rotation_count)});
    if (agent.previous_generation) {
        const std::string until = agent.previous_retire_after
                                      ? time_text(*agent.previous_retire_after, now)
                                      : "the new one is confirmed";
        record.emplace_back("still accepted", Cell{fmt::format("generation {}, until {}",
                                                               *agent.previous_generation, until)});
    }
    record.emplace_back("enrolled", time_cell(agent.enrolled_at, now));
    if (agent.identity_key) record.emplace_back("identity key", optional_cell(agent.identity_key));
    if (!agent.capabilities.empty()) record.emplace_back("may", grants_cell(agent.capabilities));
    if (agent.session) add_session(record, *agent.session, now);
    if (!agent.metadata.empty()) record.emplace_back("metadata", json_cell(agent.metadata));
    return record;
}

Table rotations_table(const std::vector<RotationView>& rotations, const NamesById& names,
                      Time now) {
    Table table({{"ROTATION ID"},
                 {"AGENT", kCut},
                 {"STATUS"},
                 {"STARTED"},
                 {"GENERATION", kLeaveOut, kRight},
                 {"OFFERS", kLeaveOut, kRight},
                 {"CAUSE", kLeaveOut}});
    for (const RotationView& rotation : rotations) {
        Cell status = status_cell(rotation.status);
        if (rotation.status == RotationStatus::failing && rotation.last_reason) {
            status.brief = status.text;
            status.text += fmt::format(" ({})", printable(*rotation.last_reason));
        }
        table.add({optional_cell(rotation.rotation_id),
                   {name_or_id(names, rotation.agent_id)},
                   std::move(status),
                   time_cell(rotation.started_at, now),
                   {rotation.generation ? std::to_string(*rotation.generation) : "-"},
                   {std::to_string(rotation.attempts)},
                   optional_cell(rotation.cause)});
    }
    return table;
}

Record rotation_record(const RotationView& rotation, Time now) {
    return {
        {"rotation id", optional_cell(rotation.rotation_id)},
        {"agent id", text_cell(rotation.agent_id)},
        {"status", status_cell(rotation.status)},
        {"generation", {rotation.generation ? std::to_string(*rotation.generation) : "-"}},
        {"cause", optional_cell(rotation.cause)},
        {"asked by", optional_cell(rotation.actor)},
        {"started", time_cell(rotation.started_at, now)},
        {"offers", {std::to_string(rotation.attempts)}},
        {"last offer", time_cell(rotation.offered_at, now)},
        {"proven", time_cell(rotation.committed_at, now)},
        {"activated", time_cell(rotation.activated_at, now)},
        {"last reason", optional_cell(rotation.last_reason)},
    };
}

Table audit_table(const std::vector<protocol::AuditEntry>& entries, const NamesById& names,
                  Time now) {
    Table table({{"SEQ", kWhole, kRight},
                 {"TIME"},
                 {"ACTION"},
                 {"SUBJECT", kCut},
                 {"ACTOR", kCut},
                 {"OUTCOME"},
                 {"DETAILS", kCut}});
    for (const protocol::AuditEntry& entry : entries)
        table.add({{std::to_string(entry.seq)},
                   time_cell(entry.time, now),
                   text_cell(entry.action),
                   {name_or_id(names, entry.subject)},
                   {name_or_id(names, entry.actor)},
                   {printable(entry.outcome), {}, entry.outcome == "ok" ? Tone::plain : Tone::bad},
                   entry.details.empty() ? Cell{} : json_cell(entry.details)});
    return table;
}

std::string setting_text(const boost::json::value& value) {
    if (value.is_string()) return printable(value.get_string());
    std::string text;
    protocol::append_json_value(text, value);
    return printable(text);
}

Table settings_table(const protocol::SettingsView& view) {
    Table table({{"SETTING"}, {"VALUE"}, {"SOURCE"}, {"MEANING", kCut}});
    for (const auto& [name, value] : view.settings) {
        const protocol::SettingInfo* info = protocol::find_setting(name);
        const auto source = view.sources.find(std::string(name));
        const std::string_view word = source == view.sources.end()
                                          ? std::string_view("-")
                                          : protocol::name_of(source->second);
        table.add({text_cell(name),
                   {setting_text(value)},
                   {std::string(word)},
                   {info == nullptr ? "" : std::string(info->summary)}});
    }
    if (view.read_only)
        for (const auto& [name, value] : *view.read_only)
            table.add({text_cell(name), {setting_text(value)}, {"start"}, {"fixed at the start"}});
    return table;
}

Record info_record(const protocol::SystemInfo::Result& info, Time now) {
    return {
        {"version", text_cell(info.version)},
        {"listens on", text_cell(info.listen)},
        {"agents reach it at", text_cell(info.advertise)},
        {"CA pin", optional_cell(info.ca_pin)},
        {"started", time_cell(info.started_at, now)},
        {"up for", {duration_text(std::chrono::seconds{info.uptime_seconds})}},
        {"server time", {time_text(info.server_time, now)}},
        {"agents", {fmt::format("{}, {} connected", info.agents_total, info.agents_connected)}},
        {"schema", {std::to_string(info.schema_version)}},
    };
}

}  // namespace rekey::cli
