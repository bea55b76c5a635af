#include "protocol/token.hpp"

#include "base/limits.hpp"
#include "protocol/join_string.hpp"
#include "tests/fuzz/input.hpp"

#include <string>

// Credentials and join strings, as strangers may send or people may type them.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    using fuzz::must;
    const auto text = fuzz::text_of(data, size);
    if (const auto token = protocol::parse_token(text)) {
        must(text.size() <= limits::kCredentialBytes);
        must(!token->id.empty() && text.find(token->id) == 4U);
        // A letter that was mistyped is found out before any look-up.
        std::string mistyped(text);
        mistyped.back() = mistyped.back() == 'a' ? 'b' : 'a';
        must(!protocol::parse_token(mistyped));
    }
    if (const auto join = protocol::parse_join_string(text); join.has_value()) {
        const Secret written = protocol::format_join_string(*join);
        const auto again = protocol::parse_join_string(written.expose());
        must(again.has_value() && again->host == join->host && again->port == join->port &&
             again->trust == join->trust && again->code.expose() == join->code.expose());
    }
    if (const auto pin = protocol::parse_pin(text); pin.has_value())
        must(protocol::format_pin(*pin) == text);
    return 0;
}
