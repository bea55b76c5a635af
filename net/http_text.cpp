#include "net/http_text.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace rekey::net {
namespace {

namespace http = boost::beast::http;

// A control character in a value would end the header and begin another: it becomes a space.
void append_value(std::string& out, std::string_view value) {
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    append_value(out, name);
    out += ": ";
    append_value(out, value);
    out += "\r\n";
}

bool status_has_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::string host_header(const std::string& host, unsigned port) {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string to_http(const HttpResponse& response, ResponseFraming framing) {
    std::string out;
    out.reserve(512 + response.body.size());
    const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
    out += "HTTP/1.1 " + std::to_string(response.status) + " ";
    out.append(reason.data(), reason.size());
    out += "\r\n";
    for (const auto& [name, value] : response.headers.all()) append_header(out, name, value);
    for (const HttpHeaders* more : framing.more) {
        if (more == nullptr) continue;
        for (const auto& [name, value] : more->all()) {
            const bool there = response.headers.has(name) ||
                               (more != framing.more[0] && framing.more[0]->has(name));
            if (!there) append_header(out, name, value);
        }
    }
    if (status_has_body(response.status)) {
        if (!response.headers.has("Content-Type") && !response.body.empty())
            append_header(out, "Content-Type", "application/json");
        append_header(out, "Content-Length", std::to_string(response.body.size()));
    }
    append_header(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
    out += "\r\n";
    if (status_has_body(response.status) && !framing.without_body) out += response.body;
    return out;
}

std::string to_http(const HttpCall& call, std::string_view host) {
    std::size_t size = 512 + call.method.size() + call.target.size() + call.body.size();
    for (const auto& [name, value] : call.headers) size += name.size() + value.size() + 4;
    std::string out;
    // Enough from the start: growing would leave copies of credentials behind.
    out.reserve(size);
    append_value(out, call.method);
    out += ' ';
    append_value(out, call.target);
    out += " HTTP/1.1\r\n";
    append_header(out, "Host", host);
    for (const auto& [name, value] : call.headers) append_header(out, name, value.expose());
    if (!call.body.empty()) append_header(out, "Content-Type", "application/json");
    if (!call.body.empty() || call.method != "GET")
        append_header(out, "Content-Length", std::to_string(call.body.size()));
    out += "\r\n";
    out += call.body.expose();
    return out;
}

}  // namespace rekey::net
