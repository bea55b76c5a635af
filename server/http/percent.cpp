#include "server/http/percent.hpp"

#include "base/encoding.hpp"

#include <algorithm>

namespace rekey::server::http {
namespace {

// The next piece up to `separator`, taken off `rest`.
std::string_view take_piece(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded.push_back(text[at]);
            continue;
        }
        const auto byte = from_hex(text.substr(at + 1, 2));
        if (!byte || byte->size() != 1) return std::nullopt;
        decoded.push_back(static_cast<char>(byte->front()));
        at += 2;
    }
    if (std::any_of(decoded.begin(), decoded.end(), is_control)) return std::nullopt;
    if (!is_utf8(decoded)) return std::nullopt;
    return decoded;
}

std::optional<std::vector<std::string>> path_segments(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    std::vector<std::string> segments;
    while (true) {
        const std::size_t slash = path.find('/');
        auto segment = percent_decoded(path.substr(0, slash));
        if (!segment) return std::nullopt;
        segments.push_back(*std::move(segment));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

Result<QueryPairs> parse_query(std::string_view query) {
    QueryPairs pairs;
    while (!query.empty()) {
        std::string_view piece = take_piece(query, '&');
        if (piece.empty()) continue;
        std::string spaced(piece);
        std::replace(spaced.begin(), spaced.end(), '+', ' ');
        piece = spaced;
        const std::string_view name = take_piece(piece, '=');
        auto decoded_name = percent_decoded(name);
        auto decoded_value = percent_decoded(piece);
        if (!decoded_name || !decoded_value) {
            return Error(Code::invalid_request,
                         "the query is not percent-encoded UTF-8 without control characters");
        }
        pairs.emplace_back(*std::move(decoded_name), *std::move(decoded_value));
    }
    return pairs;
}

}  // namespace rekey::server::http
