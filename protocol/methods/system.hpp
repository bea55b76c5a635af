#pragma once

#include "protocol/method.hpp"

namespace rekey::protocol {

struct SystemInfo {
    static constexpr std::string_view name = "system.info";
    static constexpr std::string_view summary = "Shows what this server is and how it is.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    using Params = Nothing;
    struct Result {
        std::string version;
        Time started_at{};
        std::int64_t uptime_seconds = 0;
        Time server_time{};
        std::int64_t agents_total = 0;
        std::int64_t agents_connected = 0;
        std::int64_t schema_version = 0;
        std::string listen;
        std::string advertise;
        std::optional<std::string> ca_pin;
        static constexpr auto fields() {
            return std::tuple{
                field("version", &Result::version, "Of rekeyd."),
                field("started_at", &Result::started_at, "When it started."),
                field("uptime_seconds", &Result::uptime_seconds, "Since then."),
                field("server_time", &Result::server_time, "Its clock."),
                field("agents_total", &Result::agents_total, "Agents known."),
                field("agents_connected", &Result::agents_connected, "With a live session."),
                field("schema_version", &Result::schema_version, "Of its database."),
                field("listen", &Result::listen, "HOST:PORT it listens on."),
                field("advertise", &Result::advertise, "HOST:PORT that join strings name."),
                field("ca_pin", &Result::ca_pin, "sha256:<hex> of its CA; absent without TLS.")};
        }
    };
};

struct RpcDiscover {
    static constexpr std::string_view name = "rpc.discover";
    static constexpr std::string_view summary = "Describes these methods, as OpenRPC.";
    static constexpr Access access{.capability = "agents:read"};
    using Params = Nothing;
    struct Result {
        std::string openrpc;
        boost::json::object info;
        boost::json::value methods;
        boost::json::object components;
        static constexpr auto fields() {
            constexpr Rule kDocument{.max_bytes = limits::kAnswerBytes};
            return std::tuple{
                field("openrpc", &Result::openrpc, "The specification's version."),
                field("info", &Result::info, "Name and version.", kDocument),
                field("methods", &Result::methods, "With their schemas.", kDocument),
                field("components", &Result::components, "What they share.", kDocument)};
        }
    };
};

}  // namespace rekey::protocol
