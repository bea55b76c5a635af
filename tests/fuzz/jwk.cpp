#include "keys/jwk.hpp"

#include "tests/fuzz/input.hpp"

#include <boost/json/serialize.hpp>

// Public keys and sets of them, as they come from files and from other servers.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    using fuzz::must;
    const auto text = fuzz::text_of(data, size);
    if (const auto jwk = keys::parse_jwk(text); jwk.has_value()) {
        const auto again = keys::parse_jwk(boost::json::serialize(keys::to_json(*jwk)));
        must(again.has_value() && again->kid == jwk->kid);
        must(keys::thumbprint(again->key) == keys::thumbprint(jwk->key));
    }
    if (const auto set = keys::parse_jwks(text); set.has_value()) {
        const auto again = keys::parse_jwks(keys::to_jwks_text(set->keys));
        must(again.has_value() && again->keys.size() == set->keys.size() && again->ignored == 0);
    }
    return 0;
}
