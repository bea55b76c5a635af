#include "server/bootstrap/checkpoint_key.hpp"

#include "keys/seal.hpp"
#include "server/bootstrap/blocking.hpp"

#include <sysexits.h>
#include <utility>

namespace rekey::server::bootstrap {
namespace {

constexpr std::string_view kName = "audit_checkpoint_key";
constexpr std::string_view kPurpose = "audit-checkpoint-key";

template <class T>
T or_refuse(Result<T> result) {
    if (result.has_error())
        throw StartupError("the key of the audit's checkpoints: " + result.error().message(),
                           EX_IOERR);
    return *std::move(result);
}

}  // namespace

audit::CheckpointKey open_checkpoint_key(storage::Store& store, const keys::MasterKey& master_key,
                                         Random& random, const Log& log) {
    using Sealed = std::optional<Bytes>;
    const auto sealed = or_refuse(read_now<Sealed>(
        store, [](storage::Transaction& transaction) { return transaction.meta().get(kName); }));
    if (sealed) {
        const Secret pem = or_refuse(keys::open(master_key, kPurpose, *sealed));
        return audit::CheckpointKey(or_refuse(keys::PrivateKey::from_pem(pem)));
    }
    auto made = or_refuse(keys::PrivateKey::generate(keys::Algorithm::ed25519));
    const Bytes fresh = keys::seal(master_key, kPurpose, made.to_pem(), random);
    audit::CheckpointKey key(std::move(made));
    static_cast<void>(or_refuse(
        write_now<bool>(store, [&fresh](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.meta().set(kName, fresh));
            return true;
        })));
    log.info("audit.key_made", {{"kid", key.jwk().kid}});
    return key;
}

}  // namespace rekey::server::bootstrap
