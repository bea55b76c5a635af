#pragma once

#include "protocol/fields.hpp"

#include <concepts>
#include <cstdint>
#include <string_view>

// How a method is declared: once, as a struct in protocol/methods/, without a handler.
//
//     struct AgentsGet {
//         static constexpr std::string_view name = "agents.get";
//         static constexpr std::string_view summary = "Shows one agent.";
//         static constexpr Access access{.caller = Caller::admin, .capability = "agents:read"};
//         static constexpr Rest rest{"GET", "/agents/{agent_id}"};  // if it has one
//         struct Params { … fields() … };
//         struct Result { … fields() … };
//     };
//
// From it come decoding, encoding, authorisation, the schemas, the CLI's commands and the
// reference. A method whose Result is `NoAnswer` is a notification.
namespace rekey::protocol {

// Who may send it. `server` means server -> agent on the agent's socket. `self` is whoever holds an
// API key and speaks of itself: REST alone, where the path's agent_id has to be the caller's own.
enum class Caller : std::uint8_t { agent, server, admin, self };
constexpr auto names_of(Caller) {
    return std::to_array<std::string_view>({"agent", "server", "admin", "self"});
}

// Whether the dispatcher writes an audit row for a call that is refused; a change that succeeds is
// always audited by its own transaction (I11).
enum class Audited : std::uint8_t { no, yes };
// Whether a tool list for language models shows it.
enum class Mcp : std::uint8_t { hidden, shown };

struct Access {
    Caller caller = Caller::admin;
    std::string_view capability = {};  // e.g. "agents:write"; empty: the credential is enough
    Audited audited = Audited::no;
    Mcp mcp = Mcp::hidden;
    UnknownFields unknown_params = UnknownFields::refuse;
};

// Where REST has it: `path` is a template whose names in braces are params of the method
// ("/agents/{agent_id}/suspend"), `status` that of success (200, 201, or 204 without a body). The
// other params come in the query of a GET and in the body of anything else.
struct Rest {
    std::string_view verb = {};  // empty: REST does not have it
    std::string_view path = {};
    unsigned status = 200;
};

struct Nothing {
    static constexpr auto fields() { return std::tuple<>{}; }
};
// The Result of a notification.
struct NoAnswer : Nothing {};

template <class M>
concept Method = Described<typename M::Params> && Described<typename M::Result> && requires {
    { M::name } -> std::convertible_to<std::string_view>;
    { M::summary } -> std::convertible_to<std::string_view>;
    { M::access } -> std::convertible_to<Access>;
};

// M::rest, or none.
template <Method M>
[[nodiscard]] constexpr Rest rest_of() {
    if constexpr (requires { M::rest; }) return M::rest;
    return {};
}

template <Method M>
inline constexpr bool kIsNotification = std::same_as<typename M::Result, NoAnswer>;

// The params of a call of M as they arrived, and the result as a client reads it.
template <Method M>
[[nodiscard]] Result<typename M::Params> decode_params(const boost::json::value* params) {
    return decode<typename M::Params>(params, M::access.unknown_params);
}
template <Method M>
[[nodiscard]] Result<typename M::Result> decode_result(const boost::json::value& result) {
    return decode<typename M::Result>(&result, UnknownFields::ignore);
}

}  // namespace rekey::protocol
