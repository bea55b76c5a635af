#pragma once

#include "protocol/method.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Admin methods about the server's keys: the one that signs access tokens, and those that admins
// make beside it (docs/authentication.md, "Signing keys"). Secrets never come out.
namespace rekey::protocol {

enum class KeyAlgorithm : std::uint8_t { ed25519, ecdsa_p256, rsa_pss, aes_256_gcm, hmac_sha256 };
constexpr auto names_of(KeyAlgorithm) {
    return std::to_array<std::string_view>(
        {"ed25519", "ecdsa-p256", "rsa-pss", "aes-256-gcm", "hmac-sha256"});
}
enum class KeyUsage : std::uint8_t { sign, verify, encrypt, decrypt, mac, derive };
constexpr auto names_of(KeyUsage) {
    return std::to_array<std::string_view>(
        {"sign", "verify", "encrypt", "decrypt", "mac", "derive"});
}
enum class KeyVersionState : std::uint8_t { pre_published, active, retiring, destroyed };
constexpr auto names_of(KeyVersionState) {
    return std::to_array<std::string_view>({"pre_published", "active", "retiring", "destroyed"});
}

struct KeyVersionView {
    std::int64_t version = 0;
    KeyVersionState state = KeyVersionState::pre_published;
    Time created_at{};
    std::optional<Time> activated_at;
    std::optional<Time> retired_at;
    std::optional<Time> destroy_at;
    std::optional<Time> destroyed_at;
    std::optional<boost::json::object> jwk;
    std::optional<std::string> public_key_pem;
    static constexpr auto fields() {
        return std::tuple{
            field("version", &KeyVersionView::version, "Numbers are never given twice."),
            field("state", &KeyVersionView::state, "Forwards only; one version is active."),
            field("created_at", &KeyVersionView::created_at, "When it was made."),
            field("activated_at", &KeyVersionView::activated_at, "When it began to sign."),
            field("retired_at", &KeyVersionView::retired_at, "When its successor did."),
            field("destroy_at", &KeyVersionView::destroy_at,
                  "When its secret will be destroyed; of no use until that is cancelled."),
            field("destroyed_at", &KeyVersionView::destroyed_at, "When it was destroyed."),
            field("jwk", &KeyVersionView::jwk, "The public half (RFC 7517), if there is one.",
                  Rule{.max_bytes = limits::kJwkBytes}),
            field("public_key_pem", &KeyVersionView::public_key_pem,
                  "The same as SubjectPublicKeyInfo in PEM.",
                  Rule{.max_bytes = limits::kKeyPemBytes})};
    }
};

struct KeyView {
    std::string kid;
    KeyAlgorithm algorithm = KeyAlgorithm::ed25519;
    std::int64_t size_bits = 0;
    std::vector<KeyUsage> uses;
    std::string export_policy;
    std::string label;
    std::map<std::string, std::string> tags;
    bool signs_access_tokens = false;
    Time created_at{};
    std::vector<KeyVersionView> versions;
    static constexpr auto fields() {
        return std::tuple{
            field("kid", &KeyView::kid, "The key.", kUuid),
            field("algorithm", &KeyView::algorithm, "What it computes."),
            field("size_bits", &KeyView::size_bits, "Of the key."),
            field("uses", &KeyView::uses, "What it may be asked to do."),
            field("export_policy", &KeyView::export_policy, "\"never\" or \"exportable\"."),
            field("label", &KeyView::label, "For people."),
            field("tags", &KeyView::tags, "For programs."),
            field("signs_access_tokens", &KeyView::signs_access_tokens,
                  "It is the one behind /.well-known/jwks.json."),
            field("created_at", &KeyView::created_at, "When it was made."),
            field("versions", &KeyView::versions, "By number.",
                  Rule{.max_items = limits::kKeyVersions})};
    }
};

struct SigningKeysList {
    static constexpr std::string_view name = "signing_keys.list";
    static constexpr std::string_view summary = "Lists the server's keys, oldest first.";
    static constexpr Access access{.capability = "admin:*"};
    static constexpr Rest rest{"GET", "/signing-keys"};
    using Params = Nothing;
    struct Result {
        std::vector<KeyView> keys;
        static constexpr auto fields() {
            return std::tuple{field("keys", &Result::keys, "Oldest first.",
                                    Rule{.max_items = limits::kProviderKeys})};
        }
    };
};

struct SigningKeysGet {
    static constexpr std::string_view name = "signing_keys.get";
    static constexpr std::string_view summary = "Shows one of the server's keys.";
    static constexpr Access access{.capability = "admin:*"};
    static constexpr Rest rest{"GET", "/signing-keys/{kid}"};
    struct Params {
        std::string kid;
        static constexpr auto fields() {
            return std::tuple{field("kid", &Params::kid, "The key.", kUuid)};
        }
    };
    using Result = KeyView;
};

// What a new key is to be.
struct NewKey {
    KeyAlgorithm algorithm = KeyAlgorithm::ed25519;
    std::optional<std::int64_t> size_bits;
    std::optional<std::vector<KeyUsage>> uses;
    std::optional<std::string> label;
    std::optional<std::map<std::string, std::string>> tags;
    static constexpr auto fields() {
        return std::tuple{
            field("algorithm", &NewKey::algorithm, "What it computes."),
            field("size_bits", &NewKey::size_bits,
                  "RSA: 2048 to 4096 in steps of 8; 3072 if left out.",
                  Rule{.min = 256, .max = limits::kRsaBitsMax}),
            field("uses", &NewKey::uses, "All that the algorithm has, if left out.",
                  Rule{.max_items = 6}),
            field("label", &NewKey::label, "For people."),
            field("tags", &NewKey::tags, "For programs; names that begin with \"rekey.\" are ours.",
                  Rule{.max_items = limits::kKeyTags})};
    }
};

struct SigningKeysCreate {
    static constexpr std::string_view name = "signing_keys.create";
    static constexpr std::string_view summary = "Makes a key that never leaves the server.";
    static constexpr Access access{.capability = "admin:*", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/signing-keys", 201};
    using Params = NewKey;
    using Result = KeyView;
};

struct SigningKeysImport {
    static constexpr std::string_view name = "signing_keys.import";
    static constexpr std::string_view summary = "Takes in a private key that was made elsewhere.";
    static constexpr Access access{.capability = "admin:*", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/signing-keys/import", 201};
    struct Params : NewKey {
        Secret private_key;
        static constexpr auto fields() {
            return std::tuple_cat(
                NewKey::fields(),
                std::tuple{field("private_key", &Params::private_key,
                                 "Unencrypted PKCS#8 in PEM; of a symmetric key, 32 bytes in "
                                 "base64url.",
                                 Rule{.max_bytes = limits::kKeyPemBytes})});
        }
    };
    using Result = KeyView;
};

struct SigningKeysRotate {
    static constexpr std::string_view name = "signing_keys.rotate";
    static constexpr std::string_view summary =
        "Puts a key's next version to work; the one before still verifies.";
    static constexpr Access access{.capability = "admin:*", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/signing-keys/{kid}/rotate"};
    struct Params {
        std::string kid;
        bool at_once = false;
        static constexpr auto fields() {
            return std::tuple{
                field("kid", &Params::kid, "The key.", kUuid),
                field("at_once", &Params::at_once,
                      "An emergency: does not wait until verifiers can know the next version.",
                      Rule{.presence = Presence::defaulted})};
        }
    };
    using Result = KeyView;
};

struct SigningKeysDestroy {
    static constexpr std::string_view name = "signing_keys.destroy";
    static constexpr std::string_view summary =
        "Takes a version out of use at once, and destroys its secret after some days.";
    static constexpr Access access{.capability = "admin:*", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/signing-keys/{kid}/versions/{version}/destroy"};
    struct Params {
        std::string kid;
        std::int64_t version = 0;
        std::int64_t days = 7;
        static constexpr auto fields() {
            return std::tuple{field("kid", &Params::kid, "The key.", kUuid),
                              field("version", &Params::version,
                                    "Not the active one: rotate first.", Rule{.min = 1}),
                              field("days", &Params::days, "7 to 30, in which it can be cancelled.",
                                    Rule{.presence = Presence::defaulted, .min = 7, .max = 30})};
        }
    };
    using Result = KeyView;
};

struct SigningKeysCancelDestruction {
    static constexpr std::string_view name = "signing_keys.cancel_destruction";
    static constexpr std::string_view summary = "Puts a version back as it was.";
    static constexpr Access access{.capability = "admin:*", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/signing-keys/{kid}/versions/{version}/cancel-destruction"};
    struct Params {
        std::string kid;
        std::int64_t version = 0;
        static constexpr auto fields() {
            return std::tuple{field("kid", &Params::kid, "The key.", kUuid),
                              field("version", &Params::version, "Which one.", Rule{.min = 1})};
        }
    };
    using Result = KeyView;
};

}  // namespace rekey::protocol
