#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>

// Another master key in place of the one in force, while no server runs. In this order, so that a
// crash anywhere leaves a database and a key that belong together:
//   1. the new key is durable in DIR/master.key.next;
//   2. one transaction seals everything again under it and puts its check value in the database;
//   3. the old key is kept in DIR/master.key.old, for older backups of the database, the new one
//      takes DIR/master.key, and the .next file goes.
// Before 2 is committed the old key is in force, and another try goes on with the same new one;
// after it, the next start does 3. docs/configuration.md, "The master key".
namespace rekey::server::bootstrap {

struct Resealed {
    std::uint64_t tokens = 0;
    std::uint64_t keys = 0;  // versions of signing keys, and private keys of certificates
    std::uint64_t answers = 0;
};

struct MasterKeyParts {
    storage::Store& store;
    const Clock& clock;
    Random& random;
    std::string path;  // DIR/master.key
};

// All three steps. Throws StartupError: nothing was changed, and the old key is in force. Blocks.
[[nodiscard]] Resealed rotate_master_key(const MasterKeyParts& parts);

// Step 1: the key that is to come, made or found.
[[nodiscard]] keys::MasterKey prepare_next_master_key(const MasterKeyParts& parts);
// Step 2. Errors: corrupt if something does not open under `old`; nothing is changed then.
[[nodiscard]] Result<Resealed> seal_again(const MasterKeyParts& parts, const keys::MasterKey& old,
                                          const keys::MasterKey& next);
// Step 3, if the database belongs to the next key already; else nothing. At every start.
void finish_master_key_rotation(const std::string& path, storage::Store& store);

}  // namespace rekey::server::bootstrap
