#pragma once

#include "protocol/method.hpp"
#include "protocol/settings.hpp"

// settings.get and .set; the settings themselves stand in protocol/settings.hpp.
namespace rekey::protocol {

// What both answer.
struct SettingsView {
    boost::json::object settings;
    std::map<std::string, SettingSource> sources;
    std::optional<boost::json::object> read_only;
    static constexpr auto fields() {
        return std::tuple{
            field("settings", &SettingsView::settings, "The values in force, by name.",
                  Rule{.max_bytes = limits::kSettingsBytes}),
            field("sources", &SettingsView::sources, "Where each comes from.",
                  Rule{.max_items = limits::kSettings}),
            field("read_only", &SettingsView::read_only,
                  "What was fixed at the server's start: its flags.",
                  Rule{.max_bytes = limits::kSettingsBytes})};
    }
};

struct SettingsGet {
    static constexpr std::string_view name = "settings.get";
    static constexpr std::string_view summary = "Shows all settings and where each comes from.";
    static constexpr Access access{.capability = "admin:*", .mcp = Mcp::shown};
    using Params = Nothing;
    using Result = SettingsView;
};

struct SettingsSet {
    static constexpr std::string_view name = "settings.set";
    static constexpr std::string_view summary = "Changes settings, all or none, at once.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    struct Params {
        boost::json::object settings;
        static constexpr auto fields() {
            return std::tuple{field("settings", &Params::settings, "Name to value.",
                                    Rule{.max_bytes = limits::kSettingsBytes})};
        }
    };
    using Result = SettingsView;
};

}  // namespace rekey::protocol
