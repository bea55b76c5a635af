#pragma once

#include "agent/detect/client_files.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rekey::agent::detect {

// An MCP server that a client on this machine is configured to use. It holds nothing that could be
// a secret: no argument, no environment, no header, no URL.
struct FoundServer {
    std::string client;
    std::string name;
    std::string transport;  // "stdio", "http", "sse" or "unknown"
    std::string command;    // the last part of the program's path; empty if it has none
    bool disabled = false;  // there, and switched off
    std::string file;
};

// A file, or something in it, that was there and was not read.
struct PassedOver {
    std::string file;
    std::string why;
};

struct Findings {
    std::vector<FoundServer> servers;  // in the order of client_files(), then of the file
    std::vector<PassedOver> passed_over;
};

// Reads the files of `places`, each at most limits::kClientConfigBytes. Symbolic links, what is no
// regular file, what may not be read and what is not in the file's format is passed over and said;
// a file that is not there is nothing. At most limits::kDetectedServers. Blocks.
[[nodiscard]] Findings find_servers(const Places& places);

// Adds what stands in `text`, the content of `file`. Errors are why all of it is passed over.
[[nodiscard]] Result<> find_in_text(const ClientFile& file, std::string_view text,
                                    Findings& findings);

}  // namespace rekey::agent::detect
