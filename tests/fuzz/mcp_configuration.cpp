#include "agent/detect/find_servers.hpp"
#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "protocol/methods/agent_reports.hpp"
#include "tests/fuzz/input.hpp"

// The configuration of an MCP client, which may lie in a project that somebody else made, as each
// client reads it. What is found can be shown on a terminal and reported.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    using namespace rekey::agent::detect;
    using fuzz::must;
    static const std::vector<ClientFile> files = client_files({"/home", "/config", "/project"});
    const std::string_view text = fuzz::text_of(data, size);
    for (const ClientFile& file : files) {
        Findings findings;
        const auto looked = find_in_text(file, text, findings);
        if (looked.has_error()) {
            must(looked.error().code() == Code::parse_error);
            must(looked.error().message().starts_with("is no "));
        }
        for (const FoundServer& server : findings.servers) {
            must(protocol::is_report_name(server.name) && is_utf8(server.name));
            must(server.name.size() <= limits::kReportNameBytes);
            must(server.command.find_first_of(" =/\\\x1b") == std::string::npos);
            must(server.transport == "stdio" || server.transport == "sse" ||
                 server.transport == "http" || server.transport == "unknown");
        }
    }
    return 0;
}
