#include "keys/jwk.hpp"

#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/strict_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace rekey::keys {
namespace {

namespace json = boost::json;

Error invalid(std::string message) { return Error(Code::invalid_params, std::move(message)); }

// Members that only a private or a symmetric key has (RFC 7518, section 6).
constexpr std::array<std::string_view, 8> kPrivateMembers{"d",  "p",  "q",   "dp",
                                                          "dq", "qi", "oth", "k"};

struct Kind {
    std::string_view kty;
    std::string_view crv;
};

Kind kind_of(Algorithm algorithm) {
    if (algorithm == Algorithm::ed25519) return {"OKP", "Ed25519"};
    if (algorithm == Algorithm::ecdsa_p256) return {"EC", "P-256"};
    return {"RSA", ""};
}

Result<Bytes> number(const json::object& object, std::string_view name) {
    REKEY_TRY_ASSIGN(text, optional_string(object, name));
    auto bytes = from_base64url(text);
    if (!bytes || bytes->empty())
        return invalid("the JWK's " + std::string(name) + " is not a number in base64url");
    return std::move(*bytes);
}

Result<PublicKey> key_of(const json::object& object) {
    REKEY_TRY_ASSIGN(kty, optional_string(object, "kty"));
    REKEY_TRY_ASSIGN(crv, optional_string(object, "crv"));
    if (kty == "OKP" && crv == "Ed25519") {
        REKEY_TRY_ASSIGN(x, number(object, "x"));
        return PublicKey::ed25519(x);
    }
    if (kty == "EC" && crv == "P-256") {
        REKEY_TRY_ASSIGN(x, number(object, "x"));
        REKEY_TRY_ASSIGN(y, number(object, "y"));
        return PublicKey::ecdsa_p256(x, y);
    }
    if (kty == "RSA") {
        REKEY_TRY_ASSIGN(n, number(object, "n"));
        REKEY_TRY_ASSIGN(e, number(object, "e"));
        return PublicKey::rsa_pss(n, e);
    }
    return invalid("the JWK is neither OKP with Ed25519, nor EC with P-256, nor RSA");
}

// RFC 7517, sections 4.2 and 4.3: what the owner says that the key is for.
Result<void> check_purpose(const json::object& object) {
    REKEY_TRY_ASSIGN(use, optional_string(object, "use"));
    if (object.contains("use") && use != "sig") return invalid("the JWK's use is not sig");
    const json::value* operations = object.if_contains("key_ops");
    if (operations == nullptr) return {};
    const json::array* list = operations->if_array();
    if (list == nullptr || list->size() != 1 || list->front() != json::value("verify"))
        return invalid("the JWK's key_ops is not [\"verify\"]");
    return {};
}

}  // namespace

json::object to_json(const Jwk& jwk) {
    const Kind kind = kind_of(jwk.key.algorithm());
    json::object object{{"kty", kind.kty}};
    if (!kind.crv.empty()) object["crv"] = kind.crv;
    for (const auto& [name, bytes] : jwk.key.numbers()) object[name] = to_base64url(bytes);
    if (!jwk.kid.empty()) object["kid"] = jwk.kid;
    object["use"] = "sig";
    object["alg"] = jws_name_of(jwk.key.algorithm());
    return object;
}

std::string thumbprint(const PublicKey& key) {
    const Kind kind = kind_of(key.algorithm());
    // The required members in the order of their names, no blanks (RFC 7638, section 3): crv, kty,
    // x, y for curves and e, kty, n for RSA. All values are base64url and need no escapes.
    std::string text = kind.crv.empty() ? "{" : "{\"crv\":\"" + std::string(kind.crv) + "\",";
    const std::string kty = "\"kty\":\"" + std::string(kind.kty) + "\"";
    std::string separator;
    if (!kind.crv.empty()) {
        text += kty;
        separator = ",";
    }
    for (const auto& [name, bytes] : key.numbers()) {
        if (name == "n") text += "," + kty;
        text += separator + "\"" + std::string(name) + "\":\"" + to_base64url(bytes) + "\"";
        separator = ",";
    }
    text += "}";
    return to_base64url(sha256(text));
}

Result<Jwk> jwk_from_json(const json::object& object) {
    for (const std::string_view name : kPrivateMembers)
        if (object.contains(name))
            return invalid("a private or symmetric key where a public one belongs");
    REKEY_TRY(check_purpose(object));
    REKEY_TRY_ASSIGN(kid, optional_string(object, "kid"));
    if (kid.size() > limits::kKidBytes) return invalid("the JWK's kid is too long");
    REKEY_TRY_ASSIGN(key, key_of(object));
    REKEY_TRY_ASSIGN(alg, optional_string(object, "alg"));
    if (object.contains("alg") && alg != jws_name_of(key.algorithm()))
        return invalid("the JWK's alg is not " + std::string(jws_name_of(key.algorithm())));
    return Jwk{std::move(key), std::string(kid)};
}

Result<Jwk> parse_jwk(std::string_view text) {
    REKEY_TRY_ASSIGN(object, parse_strict_object(text, limits::kJwkBytes));
    return jwk_from_json(object);
}

Result<Jwks> parse_jwks(std::string_view text) {
    REKEY_TRY_ASSIGN(object, parse_strict_object(text, limits::kJwksBytes));
    const json::value* keys = object.if_contains("keys");
    const json::array* list = keys == nullptr ? nullptr : keys->if_array();
    if (list == nullptr) return invalid("a JWK set has an array \"keys\"");
    if (list->size() > limits::kJwksKeys) return invalid("the JWK set has too many keys");
    Jwks set;
    std::set<std::string> kids;
    for (const json::value& item : *list) {
        const json::object* member = item.if_object();
        if (member == nullptr) return invalid("a key of the JWK set is not an object");
        auto jwk = jwk_from_json(*member);
        if (jwk.has_error()) {
            ++set.ignored;
            continue;
        }
        if (!jwk->kid.empty() && !kids.insert(jwk->kid).second)
            return invalid("a kid comes twice in the JWK set");
        set.keys.push_back(std::move(*jwk));
    }
    return set;
}

std::string to_jwks_text(const std::vector<Jwk>& keys) {
    json::array list;
    for (const Jwk& jwk : keys) list.push_back(to_json(jwk));
    return json::serialize(json::object{{"keys", std::move(list)}});
}

}  // namespace rekey::keys
