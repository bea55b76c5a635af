#include "cli/exit_code.hpp"

#include "cli/console.hpp"
#include "protocol/errors.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <utility>

namespace rekey::cli {
namespace {

// The member of an error's details that holds the way out.
constexpr std::string_view kWayOut = "way_out";
// A member that says who is suspended or revoked: the identity of the key that was used.
constexpr std::string_view kOfTheCaller = "of_the_caller";

bool is_of_the_caller(const Error& error) {
    return error.details() != nullptr && error.details()->contains(kOfTheCaller);
}

// A member of the details that is text; empty if there is none.
std::string detail(const Error& error, std::string_view name) {
    if (error.details() == nullptr) return {};
    const boost::json::value* value = error.details()->if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return printable(value->get_string());
}

// What to do about a refusal of the server, by its code.
std::string_view advice(Code code) {
    switch (code) {
        case Code::unknown_credential:
            return "Check REKEY_API_KEY or --api-key-file, or make a new one on the server's host "
                   "with: rekeyd admin-key --reset";
        case Code::token_expired:
            return "The API key has expired: use another one";
        case Code::agent_suspended:
            return "It is let in again after: rekeyctl agents reactivate NAME";
        case Code::agent_revoked:
            return "That is final: create another agent";
        case Code::unavailable:
        case Code::overloaded:
            return "Try again shortly; the server's log says why";
        case Code::agent_offline:
            return "The agent has no connection: see its state with: rekeyctl agents get NAME";
        case Code::method_not_found:
            return "Methods are listed in docs/protocol.md; is the server older? See: rekeyctl "
                   "info";
        case Code::internal:
        case Code::corrupt:
            return "The server's log says more";
        default:
            return {};
    }
}

// Most messages name the field themselves.
void append_field(std::string& line, const Error& error) {
    std::string path = detail(error, "path");
    std::string expected = detail(error, "expected");
    if (line.find(path) != std::string::npos) path.clear();
    if (line.find(expected) != std::string::npos) expected.clear();
    if (!path.empty() && !expected.empty())
        line += fmt::format(" ({}: expected {})", path, expected);
    else if (!path.empty())
        line += fmt::format(" ({})", path);
    else if (!expected.empty())
        line += fmt::format(" (expected {})", expected);
}

bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

}  // namespace

Error with_way_out(Error error, std::string_view way_out) {
    return std::move(error).with(kWayOut, boost::json::string(way_out));
}

Error of_the_caller(Error error) {
    return with_way_out(std::move(error), "Use the API key of another identity")
        .with(kOfTheCaller, true);
}

Error bad_argument(std::string message, std::string_view way_out) {
    return with_way_out(Error(Code::invalid_params, std::move(message)), way_out);
}

ExitCode exit_code_of(const Error& error) {
    switch (error.code()) {
        // These two are about the agent that was named, unless the caller itself was refused.
        case Code::agent_suspended:
        case Code::agent_revoked:
            return is_of_the_caller(error) ? ExitCode::permission : ExitCode::failure;
        case Code::unknown_credential:
        case Code::token_expired:
        case Code::permission_denied:
            return ExitCode::permission;
        case Code::unavailable:
        case Code::overloaded:
        case Code::rate_limited:
            return ExitCode::unavailable;
        case Code::invalid_params:
            return ExitCode::usage;
        default:
            return ExitCode::failure;
    }
}

std::string error_line(const Error& error) {
    const protocol::ErrorRow& row = protocol::error_row(error.code());
    std::string line =
        fmt::format("rekeyctl: {}: {}", row.name,
                    printable(error.message().empty() ? std::string(row.phrase) : error.message()));
    append_field(line, error);
    if (const auto after = error.retry_after())
        line += fmt::format("; try again in {} s", after->count());
    if (const std::string at = detail(error, "not_before"); !at.empty())
        line += fmt::format("; not before {}", at);
    const std::string own = detail(error, kWayOut);
    const std::string_view way_out = own.empty() ? advice(error.code()) : own;
    if (!way_out.empty()) line += fmt::format(". {}", way_out);
    return line;
}

std::string without_credentials(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const bool begins = text.size() > 4 && text.substr(0, 2) == "rk" && text[3] == '_' &&
                            is_word(text[4]) &&
                            std::string_view("ake").find(text[2]) != std::string_view::npos;
        if (!begins) {
            out.push_back(text.front());
            text.remove_prefix(1);
            continue;
        }
        out.append(text.substr(0, 4)).append("[redacted]");
        while (!text.empty() && is_word(text.front())) text.remove_prefix(1);
    }
    return out;
}

}  // namespace rekey::cli
