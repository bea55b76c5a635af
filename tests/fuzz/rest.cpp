#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"
#include "server/http/percent.hpp"
#include "server/http/rest_params.hpp"
#include "tests/fuzz/input.hpp"

#include <algorithm>
#include <string>

// A REST request: "VERB TARGET", a line end, the body. The route's method decodes what comes out.
namespace {

using namespace rekey;
using namespace rekey::server;
using fuzz::must;

std::string_view take(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
}

// A refusal fits the bound of errors and is the client's.
void check_refusal(const Error& error) {
    must(protocol::error_body_text(error).size() <= limits::kErrorBytes);
    must(protocol::error_row(error.code()).http < 500);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    std::string_view line = take(rest, '\n');
    const std::string_view verb = take(line, ' ');
    const std::string_view path = take(line, '?');
    const auto segments = http::path_segments(path);
    if (!segments) return 0;
    auto match = http::rest_table().find(verb, *segments);
    if (match.route == nullptr) return 0;
    const auto params =
        http::rest_params(*match.route, {std::move(match.params), line, rest, "key"});
    if (params.has_error()) {
        check_refusal(params.error());
        return 0;
    }
    // It can be written, and what stands in the path is in it.
    std::string text;
    protocol::append_json_object(text, *params);
    must(protocol::parse_json(text, {}, 16 * size + 1024).has_value());
    for (const auto& segment : match.route->path) {
        if (segment.kind == http::RestRoute::Segment::Kind::param)
            must(params->contains(segment.text));
    }
    return 0;
}
