#include "net/http_strict.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <cctype>

namespace rekey::net {
namespace {

namespace http = boost::beast::http;

constexpr http::field kSingle[] = {http::field::host,          http::field::content_length,
                                   http::field::content_type,  http::field::transfer_encoding,
                                   http::field::authorization, http::field::origin};

}  // namespace

std::string_view ambiguous_lines(std::string_view received) {
    const std::string_view header = received.substr(0, received.find("\r\n\r\n"));
    for (std::size_t at = header.find('\n'); at != std::string_view::npos;
         at = header.find('\n', at + 1)) {
        if (at == 0 || header[at - 1] != '\r') return "a line ends without a carriage return";
        if (at + 1 < header.size() && (header[at + 1] == ' ' || header[at + 1] == '\t'))
            return "a line goes on the line before";
    }
    return {};
}

std::string_view ambiguous_fields(const http::fields& fields, unsigned version) {
    for (const http::field name : kSingle) {
        if (fields.count(name) > 1) return "a header that counts once comes twice";
    }
    if (version == 11 && fields.count(http::field::host) == 0) return "there is no Host";
    if (fields.count(http::field::transfer_encoding) != 0) {
        if (version != 11) return "HTTP/1.0 has no Transfer-Encoding";
        if (!boost::beast::iequals(fields[http::field::transfer_encoding], "chunked"))
            return "the only Transfer-Encoding is chunked";
        if (fields.count(http::field::content_length) != 0)
            return "there are Content-Length and Transfer-Encoding";
    }
    const auto length = fields[http::field::content_length];
    if (!std::all_of(length.begin(), length.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; }))
        return "Content-Length is no number";
    return {};
}

}  // namespace rekey::net
