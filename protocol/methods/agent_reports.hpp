#pragma once

#include "protocol/method.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What agents report of themselves: capabilities, SDK integrations, MCP servers. Reports are
// claims, kept apart from what an agent was granted; nothing decides anything by them. The same
// report again is counted as already there. Over limits::kReportsAKind of one kind: `conflict`, and
// nothing of the call is kept.
//
// Two ways in: an agent's socket (`agent.…`), and REST with an API key that speaks of its own
// agent (`self.…`), which takes the bodies of AIM's clients as well as the socket's and ignores
// fields that it does not know.
namespace rekey::protocol {

// Readable as one line, wherever it is shown: not empty, no control characters.
[[nodiscard]] inline bool is_report_name(std::string_view name) {
    return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}
inline constexpr std::string_view kReportNameExpected =
    "a text that is not empty and has no control characters";
inline constexpr Rule kReportName{.max_bytes = limits::kReportNameBytes};
inline constexpr Rule kReportNames{.max_bytes = limits::kReportNameBytes,
                                   .max_items = limits::kReportsACall};

// The first name that is not one.
[[nodiscard]] inline std::optional<BadField> bad_name_in(std::string_view path,
                                                         const std::vector<std::string>& names) {
    const auto bad = std::find_if_not(names.begin(), names.end(), is_report_name);
    if (bad == names.end()) return std::nullopt;
    return BadField{std::string(path) + "[" + std::to_string(bad - names.begin()) + "]",
                    std::string(kReportNameExpected)};
}
[[nodiscard]] inline std::optional<BadField> bad_name_in(std::string_view path,
                                                         const std::optional<std::string>& name) {
    if (!name || is_report_name(*name)) return std::nullopt;
    return BadField{std::string(path), std::string(kReportNameExpected)};
}
[[nodiscard]] inline std::optional<BadField> bad_confidence(double confidence) {
    if (confidence >= 0 && confidence <= 100) return std::nullopt;
    return BadField{"confidence", "number from 0 to 100"};
}

struct CapabilitiesReported {
    std::uint64_t granted = 0;
    std::uint64_t total = 0;
    std::uint64_t already_granted = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("granted", &CapabilitiesReported::granted,
                  "How many of them are on record now. AIM's word: nothing was granted."),
            field("total", &CapabilitiesReported::total, "How many were reported."),
            field("already_granted", &CapabilitiesReported::already_granted,
                  "How many of them were on record before.")};
    }
};

struct DetectionsProcessed {
    std::uint64_t detections_processed = 0;
    static constexpr auto fields() {
        return std::tuple{field("detections_processed", &DetectionsProcessed::detections_processed,
                                "How many were recorded.")};
    }
};

struct McpServersRegistered {
    std::uint64_t added = 0;
    std::uint64_t already_registered = 0;
    static constexpr auto fields() {
        return std::tuple{field("added", &McpServersRegistered::added, "How many are new."),
                          field("already_registered", &McpServersRegistered::already_registered,
                                "How many were on record before.")};
    }
};

struct AgentReportCapabilities {
    static constexpr std::string_view name = "agent.report_capabilities";
    static constexpr std::string_view summary =
        "Says what the agent can do. A claim: it is recorded and gives no right.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::vector<std::string> capabilities;
        static constexpr auto fields() {
            return std::tuple{
                field("capabilities", &Params::capabilities, "Their names.", kReportNames)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            return bad_name_in("capabilities", capabilities);
        }
    };
    using Result = CapabilitiesReported;
};

struct AgentReportIntegration {
    static constexpr std::string_view name = "agent.report_integration";
    static constexpr std::string_view summary =
        "Says which SDK the agent is built with, on which platform.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::string sdk_version;
        std::string platform;
        std::vector<std::string> capabilities;
        static constexpr auto fields() {
            return std::tuple{
                field("sdk_version", &Params::sdk_version,
                      "Name and version, such as aim-sdk-python@1.0.0.", kReportName),
                field("platform", &Params::platform, "Such as python.", kReportName),
                field("capabilities", &Params::capabilities, "What the SDK does for the agent.",
                      Rule{.presence = Presence::defaulted,
                           .max_bytes = limits::kReportNameBytes,
                           .max_items = limits::kReportsACall})};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (auto bad = bad_name_in("sdk_version", std::optional(sdk_version))) return bad;
            if (auto bad = bad_name_in("platform", std::optional(platform))) return bad;
            return bad_name_in("capabilities", capabilities);
        }
    };
    using Result = DetectionsProcessed;
};

struct AgentRegisterMcpServer {
    static constexpr std::string_view name = "agent.register_mcp_server";
    static constexpr std::string_view summary = "Says that the agent uses an MCP server.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::string mcp_server_id;
        std::string detection_method = "manual";
        double confidence = 100;
        static constexpr auto fields() {
            return std::tuple{
                field("mcp_server_id", &Params::mcp_server_id, "The server's name.", kReportName),
                field("detection_method", &Params::detection_method,
                      "How it was found, such as auto_sdk or auto_config.",
                      Rule{.presence = Presence::defaulted, .max_bytes = limits::kReportNameBytes}),
                field("confidence", &Params::confidence, "From 0 to 100.",
                      Rule{.presence = Presence::defaulted})};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (auto bad = bad_name_in("mcp_server_id", std::optional(mcp_server_id))) return bad;
            if (auto bad = bad_name_in("detection_method", std::optional(detection_method)))
                return bad;
            return bad_confidence(confidence);
        }
    };
    using Result = McpServersRegistered;
};

struct SelfReportCapabilities {
    static constexpr std::string_view name = "self.report_capabilities";
    static constexpr std::string_view summary = "agent.report_capabilities, with an API key.";
    static constexpr Access access{
        .caller = Caller::self, .audited = Audited::yes, .unknown_params = UnknownFields::ignore};
    static constexpr Rest rest{"POST", "/api/v1/sdk-api/agents/{agent_id}/capabilities"};
    struct Params {
        std::string agent_id;
        std::optional<std::vector<std::string>> capabilities;
        std::optional<std::string> capability_type;
        std::optional<std::string> capability_type_of_aim;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The API key's own agent.", kUuid),
                field("capabilities", &Params::capabilities, "Their names.", kReportNames),
                field("capability_type", &Params::capability_type, "One name.", kReportName),
                field("capabilityType", &Params::capability_type_of_aim,
                      "One name, as AIM's clients send it.", kReportName)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            const int ways = (capabilities ? 1 : 0) + (capability_type ? 1 : 0) +
                             (capability_type_of_aim ? 1 : 0);
            if (ways != 1)
                return BadField{"capabilities",
                                "exactly one of capabilities, capability_type, capabilityType"};
            if (capabilities) return bad_name_in("capabilities", *capabilities);
            if (auto bad = bad_name_in("capability_type", capability_type)) return bad;
            return bad_name_in("capabilityType", capability_type_of_aim);
        }
    };
    using Result = CapabilitiesReported;
};

// One entry of AIM's detection report: an SDK integration if its method is "sdk_integration", else
// an MCP server.
struct Detection {
    static constexpr std::string_view kIntegration = "sdk_integration";
    struct Details {
        std::optional<std::string> platform;
        std::vector<std::string> capabilities;
        static constexpr auto fields() {
            return std::tuple{field("platform", &Details::platform, "Such as python.", kReportName),
                              field("capabilities", &Details::capabilities, "Of the SDK.",
                                    Rule{.presence = Presence::defaulted,
                                         .max_bytes = limits::kReportNameBytes,
                                         .max_items = limits::kReportsACall})};
        }
    };
    std::string mcp_server;
    std::string method = "manual";
    double confidence = 100;
    std::optional<Details> details;
    std::optional<std::string> sdk_version;
    static constexpr auto fields() {
        return std::tuple{
            field("mcpServer", &Detection::mcp_server, "The server's name.", kReportName),
            field("detectionMethod", &Detection::method, "How it was found.",
                  Rule{.presence = Presence::defaulted, .max_bytes = limits::kReportNameBytes}),
            field("confidence", &Detection::confidence, "From 0 to 100.",
                  Rule{.presence = Presence::defaulted}),
            field("details", &Detection::details, "Of an SDK integration."),
            field("sdkVersion", &Detection::sdk_version, "Of an SDK integration.", kReportName)};
    }
    [[nodiscard]] bool is_integration() const { return method == kIntegration; }
    [[nodiscard]] std::optional<BadField> check() const {
        if (auto bad = bad_name_in("mcpServer", std::optional(mcp_server))) return bad;
        if (auto bad = bad_name_in("detectionMethod", std::optional(method))) return bad;
        if (is_integration() && !sdk_version) return BadField{"sdkVersion", "string"};
        if (auto bad = bad_name_in("sdkVersion", sdk_version)) return bad;
        if (details) {
            if (auto bad = bad_name_in("details.platform", details->platform)) return bad;
            if (auto bad = bad_name_in("details.capabilities", details->capabilities)) return bad;
        }
        return bad_confidence(confidence);
    }
};

struct SelfReportDetections {
    static constexpr std::string_view name = "self.report_detections";
    static constexpr std::string_view summary = "agent.report_integration, with an API key.";
    static constexpr Access access{
        .caller = Caller::self, .audited = Audited::yes, .unknown_params = UnknownFields::ignore};
    static constexpr Rest rest{"POST", "/api/v1/sdk-api/agents/{agent_id}/detection/report"};
    struct Params {
        std::string agent_id;
        std::optional<std::vector<Detection>> detections;
        std::optional<std::string> sdk_version;
        std::optional<std::string> platform;
        std::vector<std::string> capabilities;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The API key's own agent.", kUuid),
                field("detections", &Params::detections, "As AIM's clients send them.",
                      Rule{.max_items = limits::kReportsACall}),
                field("sdk_version", &Params::sdk_version, "Of one integration.", kReportName),
                field("platform", &Params::platform, "Such as python.", kReportName),
                field("capabilities", &Params::capabilities, "Of the SDK.",
                      Rule{.presence = Presence::defaulted,
                           .max_bytes = limits::kReportNameBytes,
                           .max_items = limits::kReportsACall})};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (detections.has_value() == sdk_version.has_value())
                return BadField{"detections", "exactly one of detections, sdk_version"};
            if (auto bad = bad_name_in("sdk_version", sdk_version)) return bad;
            if (auto bad = bad_name_in("platform", platform)) return bad;
            return bad_name_in("capabilities", capabilities);
        }
    };
    using Result = DetectionsProcessed;
};

struct SelfRegisterMcpServers {
    static constexpr std::string_view name = "self.register_mcp_servers";
    static constexpr std::string_view summary = "agent.register_mcp_server, with an API key.";
    static constexpr Access access{
        .caller = Caller::self, .audited = Audited::yes, .unknown_params = UnknownFields::ignore};
    static constexpr Rest rest{"POST", "/api/v1/sdk-api/agents/{agent_id}/mcp-servers"};
    struct Params {
        std::string agent_id;
        std::optional<std::string> mcp_server_id;
        std::optional<std::vector<std::string>> mcp_server_ids;
        std::optional<std::string> detection_method;
        std::optional<std::string> detected_method;
        double confidence = 100;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The API key's own agent.", kUuid),
                field("mcp_server_id", &Params::mcp_server_id, "One server's name.", kReportName),
                field("mcp_server_ids", &Params::mcp_server_ids,
                      "Several, as AIM's clients send them.", kReportNames),
                field("detection_method", &Params::detection_method, "How they were found.",
                      kReportName),
                field("detected_method", &Params::detected_method,
                      "The same, as AIM's clients call it.", kReportName),
                field("confidence", &Params::confidence, "From 0 to 100.",
                      Rule{.presence = Presence::defaulted})};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (mcp_server_id.has_value() == mcp_server_ids.has_value())
                return BadField{"mcp_server_id", "exactly one of mcp_server_id, mcp_server_ids"};
            if (auto bad = bad_name_in("mcp_server_id", mcp_server_id)) return bad;
            if (mcp_server_ids) {
                if (auto bad = bad_name_in("mcp_server_ids", *mcp_server_ids)) return bad;
            }
            if (auto bad = bad_name_in("detection_method", detection_method)) return bad;
            if (auto bad = bad_name_in("detected_method", detected_method)) return bad;
            return bad_confidence(confidence);
        }
    };
    using Result = McpServersRegistered;
};

}  // namespace rekey::protocol
