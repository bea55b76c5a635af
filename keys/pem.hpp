#pragma once

#include "base/limits.hpp"

#include <string>
#include <string_view>

namespace rekey::keys {

// Exactly one block "-----BEGIN <label>-----" and nothing around it but line ends (RFC 7468), of at
// most limits::kKeyPemBytes. OpenSSL itself would skip what stands before and ignore what follows.
[[nodiscard]] inline bool is_one_pem_block(std::string_view text, std::string_view label) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    const std::string begin = "-----BEGIN " + std::string(label) + "-----";
    const std::string end = "-----END " + std::string(label) + "-----";
    return text.size() <= limits::kKeyPemBytes && text.starts_with(begin) && text.ends_with(end) &&
           text.find("-----END ") == text.size() - end.size();
}

}  // namespace rekey::keys
