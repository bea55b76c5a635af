#include "server/methods/reports.hpp"

#include "base/limits.hpp"
#include "protocol/methods/agent_reports.hpp"
#include "server/methods/parts.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

// What agents report, on their sockets (agent.…) and with an API key (self.…): the same rows.
namespace rekey::server::methods {
namespace {

using rpc::Task;
using sessions::AgentCaller;
using storage::Report;
using storage::ReportKind;

struct Counted {
    std::uint64_t added = 0;
    std::uint64_t repeated = 0;
    [[nodiscard]] std::uint64_t total() const { return added + repeated; }
};

// Both kinds of caller are read again in the transaction that writes.
Result<> still(storage::Transaction& transaction, const AgentCaller& caller, Time /*now*/) {
    REKEY_TRY(sessions::require_still(transaction, caller));
    return {};
}
Result<> still(storage::Transaction& transaction, const rpc::Caller& caller, Time now) {
    REKEY_TRY(rpc::read_again(transaction, caller, now));
    return {};
}

Error too_many(ReportKind kind) {
    return Error(Code::conflict, "the agent has reported as many of this kind as are kept")
        .with("kind", boost::json::string(storage::name_of(kind)))
        .with("limit", limits::kReportsAKind);
}

// Only what is new is audited: the same report again is no news, and comes as often as an agent
// starts.
Result<Counted> note_all(storage::Transaction& transaction, const std::vector<Report>& reports,
                         storage::AuditEvent event) {
    Counted counted;
    boost::json::array added;
    for (const Report& report : reports) {
        REKEY_TRY_ASSIGN(noted, transaction.reports().note(report, event.time));
        if (noted == storage::Noted::full) return too_many(report.kind);
        if (noted == storage::Noted::repeated) {
            ++counted.repeated;
            continue;
        }
        ++counted.added;
        boost::json::object one;
        one["kind"] = storage::name_of(report.kind);
        one["name"] = report.name;
        added.push_back(std::move(one));
    }
    if (counted.added == 0) return counted;
    event.details["added"] = std::move(added);
    transaction.audit().append(std::move(event));
    return counted;
}

template <class Who>
Task<Result<Counted>> record(const Parts& parts, Who caller, std::vector<Report> reports) {
    const Time now = parts.clock.now();
    for (Report& report : reports) report.agent_id = caller.agent_id;
    auto unit = [caller, reports, now](storage::Transaction& transaction) -> Result<Counted> {
        REKEY_TRY(still(transaction, caller, now));
        return note_all(transaction, reports,
                        audit_event(caller, "agent.reported", caller.agent_id, now));
    };
    co_return co_await rpc::write_to<Counted>(parts.store, std::move(unit));
}

Report report_of(ReportKind kind, std::string name, boost::json::object details = {}) {
    return {.agent_id = {}, .kind = kind, .name = std::move(name), .details = std::move(details)};
}

std::vector<Report> capabilities_of(const std::vector<std::string>& names) {
    std::vector<Report> reports;
    reports.reserve(names.size());
    for (const std::string& name : names)
        reports.push_back(report_of(ReportKind::capability, name));
    return reports;
}

Report integration_of(std::string sdk_version, std::string platform,
                      const std::vector<std::string>& capabilities) {
    boost::json::object details{{"platform", std::move(platform)}};
    details["capabilities"] = boost::json::array(capabilities.begin(), capabilities.end());
    return report_of(ReportKind::integration, std::move(sdk_version), std::move(details));
}

Report mcp_server_of(std::string name, std::string method, double confidence) {
    return report_of(ReportKind::mcp_server, std::move(name),
                     {{"detection_method", std::move(method)}, {"confidence", confidence}});
}

// The three answers.
template <class Who>
Task<Result<protocol::CapabilitiesReported>> capabilities(const Parts& parts, Who caller,
                                                          std::vector<Report> reports) {
    const auto counted = co_await record(parts, std::move(caller), std::move(reports));
    if (counted.has_error()) co_return Result<protocol::CapabilitiesReported>(counted.error());
    const std::uint64_t total = counted->total();
    co_return Result<protocol::CapabilitiesReported>(
        protocol::CapabilitiesReported{total, total, counted->repeated});
}

template <class Who>
Task<Result<protocol::DetectionsProcessed>> detections(const Parts& parts, Who caller,
                                                       std::vector<Report> reports) {
    const auto counted = co_await record(parts, std::move(caller), std::move(reports));
    if (counted.has_error()) co_return Result<protocol::DetectionsProcessed>(counted.error());
    co_return Result<protocol::DetectionsProcessed>(
        protocol::DetectionsProcessed{counted->total()});
}

template <class Who>
Task<Result<protocol::McpServersRegistered>> mcp_servers(const Parts& parts, Who caller,
                                                         std::vector<Report> reports) {
    const auto counted = co_await record(parts, std::move(caller), std::move(reports));
    if (counted.has_error()) co_return Result<protocol::McpServersRegistered>(counted.error());
    co_return Result<protocol::McpServersRegistered>(
        protocol::McpServersRegistered{counted->added, counted->repeated});
}

std::vector<Report> reports_of(const protocol::SelfReportCapabilities::Params& params) {
    if (params.capabilities) return capabilities_of(*params.capabilities);
    return capabilities_of(
        {params.capability_type ? *params.capability_type : *params.capability_type_of_aim});
}

// AIM says nothing of a platform for what it does not know.
constexpr std::string_view kUnknownPlatform = "unknown";

Report report_of(const protocol::Detection& detection) {
    if (!detection.is_integration())
        return mcp_server_of(detection.mcp_server, detection.method, detection.confidence);
    const auto details = detection.details.value_or(protocol::Detection::Details{});
    return integration_of(*detection.sdk_version,
                          details.platform.value_or(std::string(kUnknownPlatform)),
                          details.capabilities);
}

std::vector<Report> reports_of(const protocol::SelfReportDetections::Params& params) {
    if (params.sdk_version)
        return {integration_of(*params.sdk_version,
                               params.platform.value_or(std::string(kUnknownPlatform)),
                               params.capabilities)};
    std::vector<Report> reports;
    for (const auto& detection : *params.detections) reports.push_back(report_of(detection));
    return reports;
}

std::vector<Report> reports_of(const protocol::SelfRegisterMcpServers::Params& params) {
    const std::string method = params.detection_method  ? *params.detection_method
                               : params.detected_method ? *params.detected_method
                                                        : "manual";
    std::vector<Report> reports;
    if (params.mcp_server_id)
        reports.push_back(mcp_server_of(*params.mcp_server_id, method, params.confidence));
    else
        for (const std::string& name : *params.mcp_server_ids)
            reports.push_back(mcp_server_of(name, method, params.confidence));
    return reports;
}

protocol::Reported reported(const storage::ReportRow& row) {
    return {row.first_seen_at, row.last_seen_at, row.times};
}

std::string text_in(const boost::json::object& details, std::string_view name) {
    const auto* value = details.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

double number_in(const boost::json::object& details, std::string_view name) {
    const auto* value = details.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::vector<std::string> texts_in(const boost::json::object& details, std::string_view name) {
    std::vector<std::string> texts;
    const auto* value = details.if_contains(name);
    if (value == nullptr || !value->is_array()) return texts;
    for (const auto& item : value->get_array())
        if (item.is_string()) texts.emplace_back(item.get_string());
    return texts;
}

}  // namespace

protocol::AgentReports show_reports(const std::vector<storage::ReportRow>& rows) {
    protocol::AgentReports view;
    for (const storage::ReportRow& row : rows) {
        const auto& [agent_id, kind, name, details] = row.report;
        switch (kind) {
            case ReportKind::capability:
                view.capabilities.push_back({name, reported(row)});
                break;
            case ReportKind::integration:
                view.integrations.push_back({name, text_in(details, "platform"),
                                             texts_in(details, "capabilities"), reported(row)});
                break;
            case ReportKind::mcp_server:
                view.mcp_servers.push_back({name, text_in(details, "detection_method"),
                                            number_in(details, "confidence"), reported(row)});
                break;
        }
    }
    return view;
}

void bind_reports(rpc::Registry& registry, const Parts& parts) {
    using namespace protocol;
    registry.bind<SelfReportCapabilities>(
        [&parts](const rpc::Caller& caller, const SelfReportCapabilities::Params& params) {
            return capabilities(parts, caller, reports_of(params));
        });
    registry.bind<SelfReportDetections>(
        [&parts](const rpc::Caller& caller, const SelfReportDetections::Params& params) {
            return detections(parts, caller, reports_of(params));
        });
    registry.bind<SelfRegisterMcpServers>(
        [&parts](const rpc::Caller& caller, const SelfRegisterMcpServers::Params& params) {
            return mcp_servers(parts, caller, reports_of(params));
        });
}

void bind_reports(sessions::AgentRequests& requests, const Parts& parts) {
    using namespace protocol;
    requests.bind<AgentReportCapabilities>(
        [&parts](const AgentCaller& caller, const AgentReportCapabilities::Params& params) {
            return capabilities(parts, caller, capabilities_of(params.capabilities));
        });
    requests.bind<AgentReportIntegration>(
        [&parts](const AgentCaller& caller, const AgentReportIntegration::Params& params) {
            return detections(
                parts, caller,
                {integration_of(params.sdk_version, params.platform, params.capabilities)});
        });
    requests.bind<AgentRegisterMcpServer>(
        [&parts](const AgentCaller& caller, const AgentRegisterMcpServer::Params& params) {
            return mcp_servers(
                parts, caller,
                {mcp_server_of(params.mcp_server_id, params.detection_method, params.confidence)});
        });
}

}  // namespace rekey::server::methods
