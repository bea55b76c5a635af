#pragma once

#include "base/result.hpp"
#include "keys/algorithm.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::keys {

// What a key may be asked to do. Ed25519, ECDSA and RSA-PSS: sign, verify; AES-256-GCM: encrypt,
// decrypt; HMAC-SHA256: mac, derive.
enum class KeyUse : std::uint8_t { sign, verify, encrypt, decrypt, mac, derive };
[[nodiscard]] std::string_view name_of(KeyUse use);
[[nodiscard]] std::optional<KeyUse> use_named(std::string_view name);

// Settled when the key is made, and never changed. What `never` means is held by types: see
// ExportableKey in key_provider.hpp.
enum class ExportPolicy : std::uint8_t { never, exportable };

struct KeySpec {
    Algorithm algorithm = Algorithm::ed25519;
    std::size_t size_bits = 0;  // RSA only: 2048 to 4096 in steps of 8; 0 stands for 3072
    std::vector<KeyUse> uses;   // empty: all that the algorithm has
    std::string label;
    std::map<std::string, std::string> tags;

    [[nodiscard]] bool allows(KeyUse use) const;
};

// The spec with its defaults filled in, or `invalid_params`: a use that the algorithm does not
// have, a size that it does not have, a label or tag over limits::kTextBytes, over limits::kKeyTags
// tags.
[[nodiscard]] Result<KeySpec> checked(KeySpec spec);

// {"class", "algorithm", "size_bits", "uses", "export_policy", "label", "tags"}: as stored.
[[nodiscard]] boost::json::object to_json(const KeySpec& spec, ExportPolicy policy);
struct StoredSpec {
    KeySpec spec;
    ExportPolicy policy = ExportPolicy::never;
};
// `corrupt` for anything that to_json does not write.
[[nodiscard]] Result<StoredSpec> spec_from_json(const boost::json::object& json);

}  // namespace rekey::keys
