#include "keys/jwt.hpp"

#include "base/limits.hpp"
#include "keys/strict_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace rekey::keys {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> kRegistered{"iss", "sub", "aud", "exp",
                                                      "nbf", "iat", "jti"};
// 9999-12-31T23:59:59Z: beyond it, no RFC 3339 time can be written.
constexpr double kLastSecond = 253402300799.0;

Error refused(std::string_view claim, std::string_view problem) {
    return Error(Code::unknown_credential,
                 "the token's " + std::string(claim) + " " + std::string(problem));
}

std::int64_t to_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Result<std::string> text_claim(const json::object& payload, std::string_view name) {
    const json::value* value = payload.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr || text->empty()) return refused(name, "is missing or no text");
    if (text->size() > limits::kJwtClaimBytes) return refused(name, "is too long");
    return std::string(text->data(), text->size());
}

Result<Time> time_claim(const json::object& payload, std::string_view name) {
    const json::value* value = payload.if_contains(name);
    if (value == nullptr || !value->is_number()) return refused(name, "is missing or no number");
    const double seconds = value->is_double()  ? value->get_double()
                           : value->is_int64() ? static_cast<double>(value->get_int64())
                                               : static_cast<double>(value->get_uint64());
    // Written so that a NaN fails it.
    if (!(seconds >= 0 && seconds <= kLastSecond)) return refused(name, "is out of range");
    return Time(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

bool is_text(const json::value& value, std::string_view expected) {
    const json::string* text = value.if_string();
    return text != nullptr && std::string_view(text->data(), text->size()) == expected;
}

Result<void> check_audience(const json::object& payload, std::string_view expected) {
    const json::value* value = payload.if_contains("aud");
    if (value == nullptr || expected.empty()) return refused("aud", "is missing");
    if (is_text(*value, expected)) return {};
    const json::array* list = value->if_array();
    if (list == nullptr) return refused("aud", "is not ours");
    if (list->size() > limits::kJwtAudiences ||
        !std::all_of(list->begin(), list->end(), [](const auto& one) { return one.is_string(); }))
        return refused("aud", "is not a short array of strings");
    if (std::none_of(list->begin(), list->end(),
                     [&](const auto& one) { return is_text(one, expected); }))
        return refused("aud", "is not ours");
    return {};
}

std::string media_type(std::string_view typ) {
    std::string text(typ);
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    constexpr std::string_view kPrefix = "application/";
    return text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
}

bool is_registered(std::string_view name) {
    return std::find(kRegistered.begin(), kRegistered.end(), name) != kRegistered.end();
}

}  // namespace

std::string encode_claims(const JwtClaims& claims) {
    json::object payload{{"iss", claims.iss},
                         {"sub", claims.sub},
                         {"aud", claims.aud},
                         {"exp", to_seconds(claims.exp)},
                         {"nbf", to_seconds(claims.nbf)},
                         {"iat", to_seconds(claims.iat)},
                         {"jti", claims.jti}};
    for (const auto& member : claims.others)
        if (!is_registered(member.key())) payload.emplace(member.key(), member.value());
    return json::serialize(payload);
}

Result<JwtClaims> check_claims(const CompactJws& jws, const Expect& expect, Time now) {
    if (media_type(jws.header.typ) != media_type(expect.typ)) return refused("typ", "is another");
    auto payload = parse_strict_object(jws.payload, limits::kJwsBytes);
    if (payload.has_error()) return refused("payload:", payload.error().message());
    return check_claims(*payload, expect, now);
}

Result<JwtClaims> check_claims(const json::object& payload, const Expect& expect, Time now) {
    JwtClaims claims;
    REKEY_TRY_ASSIGN(iss, text_claim(payload, "iss"));
    if (iss != expect.iss) return refused("iss", "is another");
    REKEY_TRY(check_audience(payload, expect.aud));
    REKEY_TRY_ASSIGN(sub, text_claim(payload, "sub"));
    REKEY_TRY_ASSIGN(jti, text_claim(payload, "jti"));
    REKEY_TRY_ASSIGN(exp, time_claim(payload, "exp"));
    REKEY_TRY_ASSIGN(nbf, time_claim(payload, "nbf"));
    REKEY_TRY_ASSIGN(iat, time_claim(payload, "iat"));
    if (nbf > now + limits::kJwtLeeway) return refused("nbf", "has not come yet");
    if (iat > now + limits::kJwtLeeway) return refused("iat", "has not come yet");
    if (exp + limits::kJwtLeeway <= now) return Error(Code::token_expired, "the token has expired");
    claims.iss = std::move(iss);
    claims.sub = std::move(sub);
    claims.aud = expect.aud;
    claims.exp = exp;
    claims.nbf = nbf;
    claims.iat = iat;
    claims.jti = std::move(jti);
    for (const auto& member : payload)
        if (!is_registered(member.key())) claims.others.emplace(member.key(), member.value());
    return claims;
}

}  // namespace rekey::keys
