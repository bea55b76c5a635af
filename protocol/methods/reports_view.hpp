#pragma once

#include "protocol/fields.hpp"

#include <cstdint>
#include <string>
#include <vector>

// What an agent reported, as agents.get shows it: claims, beside what it was granted.
namespace rekey::protocol {

// When it was reported, and how often.
struct Reported {
    Time first_seen_at{};
    Time last_seen_at{};
    std::uint64_t times = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("first_seen_at", &Reported::first_seen_at, "When it was reported first."),
            field("last_seen_at", &Reported::last_seen_at, "When it was reported last."),
            field("times", &Reported::times, "How often.")};
    }
};

struct ReportedCapability {
    std::string name;
    Reported reported;
    static constexpr auto fields() {
        return std::tuple_cat(std::tuple{field("name", &ReportedCapability::name, "Its name.")},
                              inlined(&ReportedCapability::reported));
    }
};

struct ReportedIntegration {
    std::string sdk_version;
    std::string platform;
    std::vector<std::string> capabilities;
    Reported reported;
    static constexpr auto fields() {
        return std::tuple_cat(
            std::tuple{field("sdk_version", &ReportedIntegration::sdk_version, "Name and version."),
                       field("platform", &ReportedIntegration::platform, "Such as python."),
                       field("capabilities", &ReportedIntegration::capabilities,
                             "What the SDK does for the agent.",
                             Rule{.max_items = limits::kReportsACall})},
            inlined(&ReportedIntegration::reported));
    }
};

struct ReportedMcpServer {
    std::string mcp_server_id;
    std::string detection_method;
    double confidence = 0;
    Reported reported;
    static constexpr auto fields() {
        return std::tuple_cat(
            std::tuple{field("mcp_server_id", &ReportedMcpServer::mcp_server_id, "Its name."),
                       field("detection_method", &ReportedMcpServer::detection_method,
                             "How it was found."),
                       field("confidence", &ReportedMcpServer::confidence, "From 0 to 100.")},
            inlined(&ReportedMcpServer::reported));
    }
};

struct AgentReports {
    static constexpr Rule kAll{.max_items = limits::kReportsAKind};
    std::vector<ReportedCapability> capabilities;
    std::vector<ReportedIntegration> integrations;
    std::vector<ReportedMcpServer> mcp_servers;
    static constexpr auto fields() {
        return std::tuple{
            field("capabilities", &AgentReports::capabilities, "What it says it can do.", kAll),
            field("integrations", &AgentReports::integrations, "SDKs it is built with.", kAll),
            field("mcp_servers", &AgentReports::mcp_servers, "MCP servers it uses.", kAll)};
    }
};

}  // namespace rekey::protocol
