#pragma once

#include "cli/context.hpp"
#include "protocol/methods/signing_keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// `rekeyctl signing-keys …`. A key is named by its kid, or by its label if no other has it.
namespace rekey::cli {

[[nodiscard]] Result<ExitCode> list_signing_keys(Context& context);

// All about a key, or one form of its public half and nothing else.
enum class ShowSigningKey : std::uint8_t { record, jwks, pem };

struct GetSigningKeyOptions {
    std::string key;
    ShowSigningKey show = ShowSigningKey::record;
    std::optional<std::int64_t> version;  // of the PEM; none: the active one
};
[[nodiscard]] Result<ExitCode> get_signing_key(Context& context,
                                               const GetSigningKeyOptions& options);

struct NewSigningKeyOptions {
    protocol::KeyAlgorithm algorithm = protocol::KeyAlgorithm::ed25519;
    std::optional<std::int64_t> bits;
    std::vector<protocol::KeyUsage> uses;  // none: all that the algorithm has
    std::optional<std::string> label;
    std::vector<std::string> tags;  // NAME=VALUE
};
[[nodiscard]] Result<ExitCode> create_signing_key(Context& context,
                                                  const NewSigningKeyOptions& options);

// The private key is read from a file that only its owner can read, or from standard input, never
// from the arguments, which every user of a machine sees.
struct ImportSigningKeyOptions : NewSigningKeyOptions {
    std::string file;  // "-": standard input
};
[[nodiscard]] Result<ExitCode> import_signing_key(Context& context,
                                                  const ImportSigningKeyOptions& options);

struct RotateSigningKeyOptions {
    std::string key;
    enum class Rule : std::uint8_t { when_published, at_once } rule = Rule::when_published;
};
[[nodiscard]] Result<ExitCode> rotate_signing_key(Context& context,
                                                  const RotateSigningKeyOptions& options);

struct SigningKeyVersion {
    std::string key;
    std::int64_t version = 0;
};

struct DestroySigningKeyOptions {
    SigningKeyVersion version;
    std::int64_t days = 7;
};
[[nodiscard]] Result<ExitCode> destroy_signing_key(Context& context,
                                                   const DestroySigningKeyOptions& options);

[[nodiscard]] Result<ExitCode> cancel_signing_key_destruction(Context& context,
                                                              const SigningKeyVersion& version);

}  // namespace rekey::cli
