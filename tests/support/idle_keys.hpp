#pragma once

#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "server/signing/signing_keys.hpp"
#include "storage/memory/memory_store.hpp"

#include <memory>

namespace rekey::testing {

// The keys of a server in which nobody changes them, on a store of their own: their thread has no
// place in virtual time.
struct IdleKeys {
    IdleKeys(const keys::MasterKey& master_key, const server::LiveSettings& settings,
             const Clock& clock, const Log& log)
        : signing({store, master_key, settings, clock, random, log}) {}

    storage::MemoryStore store{std::make_shared<storage::MemoryDatabase>()};
    SeededRandom random{2};
    server::signing::SigningKeys signing;
    server::audit::CheckpointKey audit{
        keys::PrivateKey::generate(keys::Algorithm::ed25519).value()};
};

}  // namespace rekey::testing
