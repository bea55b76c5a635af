#include "keys/jws.hpp"

#include "base/hash.hpp"
#include "keys/strict_json.hpp"

#include <boost/json/serialize.hpp>

#include <array>

namespace rekey::keys {
namespace {

namespace json = boost::json;

constexpr std::size_t kHmacKeyBytes = 32;

constexpr std::array<std::string_view, 6> kRefusedMembers{"crit", "b64", "jwk",
                                                          "jku",  "x5c", "x5u"};

Error refused(std::string message) { return Error(Code::unknown_credential, std::move(message)); }

std::string to_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<JwsHeader> parse_header(std::string_view text) {
    auto parsed = parse_strict_object(text, limits::kJwsHeaderBytes);
    if (parsed.has_error()) return refused("the token's header: " + parsed.error().message());
    for (const std::string_view name : kRefusedMembers)
        if (parsed->contains(name)) return refused("the token's header has " + std::string(name));
    const auto alg = optional_string(*parsed, "alg");
    const auto kid = optional_string(*parsed, "kid");
    const auto typ = optional_string(*parsed, "typ");
    if (alg.has_error() || kid.has_error() || typ.has_error())
        return refused("alg, kid or typ in the token's header is not a string");
    const auto algorithm = algorithm_of_jws(*alg);
    if (!algorithm) return refused("the token's alg is none of EdDSA, ES256, PS256, HS256");
    if (kid->size() > limits::kKidBytes || typ->size() > limits::kJwsTypBytes)
        return refused("kid or typ in the token's header is too long");
    return JwsHeader{*algorithm, std::string(*kid), std::string(*typ)};
}

}  // namespace

Result<std::string> jws_sign(const JwsSigner& signer, std::string_view typ,
                             std::string_view payload) {
    json::object header{{"alg", jws_name_of(signer.algorithm())}};
    if (!typ.empty()) header["typ"] = typ;
    if (!signer.kid().empty()) header["kid"] = signer.kid();
    std::string jws = to_base64url(as_bytes(json::serialize(header)));
    jws.append(".").append(to_base64url(as_bytes(payload)));
    REKEY_TRY_ASSIGN(signature, signer.sign(jws));
    return jws.append(".").append(to_base64url(signature));
}

Result<CompactJws> parse_compact(std::string_view text, std::size_t max_bytes) {
    if (text.size() > max_bytes) return refused("the token is too long");
    const std::size_t first = text.find('.');
    const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
        return refused("the token has not three parts");
    auto header = from_base64url(text.substr(0, first));
    auto payload = from_base64url(text.substr(first + 1, second - first - 1));
    auto signature = from_base64url(text.substr(second + 1));
    if (!header || !payload || !signature)
        return refused("a part of the token is not base64url without padding");
    if (signature->empty()) return refused("the token has no signature");
    REKEY_TRY_ASSIGN(read, parse_header(to_text(*header)));
    return CompactJws{std::move(read), to_text(*payload), std::string(text.substr(0, second)),
                      std::move(*signature)};
}

bool verify(const CompactJws& jws, const PublicKey& key) {
    return jws.header.algorithm == key.algorithm() && key.verify(jws.signing_input, jws.signature);
}

bool verify_hmac(const CompactJws& jws, const Secret& key) {
    if (jws.header.algorithm != Algorithm::hmac_sha256 || key.size() < kHmacKeyBytes) return false;
    const Bytes32 expected = hmac_sha256(as_bytes(key.expose()), as_bytes(jws.signing_input));
    return equal_in_constant_time(expected, jws.signature);
}

}  // namespace rekey::keys
