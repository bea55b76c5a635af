#include "keys/algorithm.hpp"

#include <array>

namespace rekey::keys {
namespace {

struct Names {
    Algorithm algorithm;
    std::string_view name;
    std::string_view jws;
};

constexpr std::array<Names, 5> kAll{{
    {Algorithm::ed25519, "ed25519", "EdDSA"},
    {Algorithm::ecdsa_p256, "ecdsa-p256", "ES256"},
    {Algorithm::rsa_pss, "rsa-pss", "PS256"},
    {Algorithm::aes_256_gcm, "aes-256-gcm", ""},
    {Algorithm::hmac_sha256, "hmac-sha256", "HS256"},
}};

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    for (const Names& names : kAll)
        if (names.algorithm == algorithm) return names.name;
    return {};
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
    for (const Names& names : kAll)
        if (names.name == name) return names.algorithm;
    return std::nullopt;
}

std::string_view jws_name_of(Algorithm algorithm) {
    for (const Names& names : kAll)
        if (names.algorithm == algorithm) return names.jws;
    return {};
}

std::optional<Algorithm> algorithm_of_jws(std::string_view alg) {
    if (alg.empty()) return std::nullopt;
    for (const Names& names : kAll)
        if (names.jws == alg) return names.algorithm;
    return std::nullopt;
}

}  // namespace rekey::keys
