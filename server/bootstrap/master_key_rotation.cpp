#include "server/bootstrap/master_key_rotation.hpp"

#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/local_key_provider.hpp"
#include "keys/master_key_file.hpp"
#include "keys/seal.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/master_key.hpp"

#include <array>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace rekey::server::bootstrap {
namespace {

constexpr std::string_view kCheckValue = "master_key_check";

// Secrets in the meta table, and what they are sealed for (own_certificate.cpp,
// checkpoint_key.cpp).
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSealedFacts{{
    {"audit_checkpoint_key", "audit-checkpoint-key"},
    {"ca_private_key", "ca-private-key"},
    {"server_private_key", "server-private-key"},
}};

std::string next_path(const std::string& path) { return path + ".next"; }
std::string old_path(const std::string& path) { return path + ".old"; }

// Inside the one transaction.
struct Resealer {
    storage::Transaction& transaction;
    const keys::MasterKey& old;
    const keys::MasterKey& next;
    Random& random;
    Time now;
    Resealed done{};

    Result<Bytes> again(std::string_view purpose, ByteView sealed) {
        REKEY_TRY_ASSIGN(secret, keys::open(old, purpose, sealed));
        return keys::seal(next, purpose, secret, random);
    }

    Result<> facts() {
        for (const auto& [name, purpose] : kSealedFacts) {
            REKEY_TRY_ASSIGN(stored, transaction.meta().get(name));
            if (!stored) continue;
            REKEY_TRY_ASSIGN(sealed, again(purpose, *stored));
            REKEY_TRY(transaction.meta().set(name, sealed));
            ++done.keys;
        }
        return {};
    }

    Result<> token_of(storage::AgentRow& row) {
        storage::PendingToken& pending = *row.credentials.pending;
        const keys::TokenContext context{row.agent_id, pending.rotation_id, pending.generation};
        REKEY_TRY_ASSIGN(token, keys::open_token(old, context, pending.sealed_token));
        pending.sealed_token = keys::seal_token(next, context, token, random);
        ++done.tokens;
        return transaction.agents().update(row);
    }

    Result<> tokens() {
        std::string after;
        for (;;) {
            REKEY_TRY_ASSIGN(page, transaction.agents().list({}, after, limits::kPageRows));
            if (page.empty()) return {};
            after = page.back().agent_id;
            for (storage::AgentRow& row : page)
                if (row.credentials.pending) REKEY_TRY(token_of(row));
        }
    }

    Result<> signing_key(storage::ProviderKeyRow& row) {
        for (storage::ProviderKeyVersionRow& version : row.versions) {
            if (!version.sealed_secret) continue;
            REKEY_TRY_ASSIGN(sealed, again(keys::sealing_purpose(row.kid, version.version),
                                           *version.sealed_secret));
            version.sealed_secret = std::move(sealed);
            ++done.keys;
        }
        return transaction.provider_keys().put(row);
    }

    Result<> signing_keys() {
        std::string after;
        for (;;) {
            REKEY_TRY_ASSIGN(page, transaction.provider_keys().list(after, limits::kPageRows));
            if (page.empty()) return {};
            after = page.back().kid;
            for (storage::ProviderKeyRow& row : page) REKEY_TRY(signing_key(row));
        }
    }

    // Sealed for their caller and their idempotency key; what has expired is of use to nobody.
    Result<> answers() {
        for (;;) {
            REKEY_TRY_ASSIGN(removed, transaction.idempotent_answers().remove_expired(now));
            if (removed == 0) break;
        }
        REKEY_TRY_ASSIGN(rows, transaction.idempotent_answers().all());
        for (storage::IdempotentAnswerRow& row : rows) {
            const std::string purpose =
                "idempotent-answer\n" + row.caller_id + "\n" + to_hex(row.idempotency_key_hash);
            REKEY_TRY_ASSIGN(sealed, again(purpose, row.sealed_answer));
            row.sealed_answer = std::move(sealed);
            REKEY_TRY(transaction.idempotent_answers().put(row));
            ++done.answers;
        }
        return {};
    }

    void note() {
        storage::AuditEvent event{now, "system", "master_key.rotated", "master_key", "ok", {}};
        event.details["before"] = old.id();
        event.details["after"] = next.id();
        transaction.audit().append(std::move(event));
    }
};

}  // namespace

keys::MasterKey prepare_next_master_key(const MasterKeyParts& parts) {
    if (auto found = keys::read_master_key(next_path(parts.path))) return std::move(*found);
    keys::MasterKey made = keys::MasterKey::generate(parts.random);
    keys::write_master_key(next_path(parts.path), made);
    return made;
}

Result<Resealed> seal_again(const MasterKeyParts& parts, const keys::MasterKey& old,
                            const keys::MasterKey& next) {
    return write_now<Resealed>(
        parts.store, [&](storage::Transaction& transaction) -> Result<Resealed> {
            Resealer resealer{transaction, old, next, parts.random, parts.clock.now()};
            REKEY_TRY(resealer.facts());
            REKEY_TRY(resealer.tokens());
            REKEY_TRY(resealer.signing_keys());
            REKEY_TRY(resealer.answers());
            const Bytes32 check = next.check_value();
            REKEY_TRY(transaction.meta().set(kCheckValue, check));
            resealer.note();
            return resealer.done;
        });
}

void finish_master_key_rotation(const std::string& path, storage::Store& store) {
    const auto next = keys::read_master_key(next_path(path));
    if (!next) return;
    const auto check = read_now<std::optional<Bytes>>(store, [](storage::Transaction& transaction) {
                           return transaction.meta().get(kCheckValue);
                       }).value();
    const Bytes32 expected = next->check_value();
    // Of a rotation that did not come to its transaction: the old key is in force.
    if (!check || !equal_in_constant_time(*check, expected)) return;
    if (const auto current = keys::read_master_key(path); current && current->id() != next->id())
        keys::write_master_key(old_path(path), *current);
    keys::write_master_key(path, *next);
    if (::unlink(next_path(path).c_str()) != 0)
        throw StartupError("cannot remove " + next_path(path) + "; it is the key in " + path +
                               " now: remove it by hand",
                           EX_IOERR);
}

Resealed rotate_master_key(const MasterKeyParts& parts) {
    const keys::MasterKey old = open_master_key(parts.path, parts.store, parts.random);
    const keys::MasterKey next = prepare_next_master_key(parts);
    const auto done = seal_again(parts, old, next);
    if (done.has_error())
        throw StartupError("the master key was not rotated: " + done.error().message() +
                               "; the old one is still in force",
                           EX_IOERR);
    finish_master_key_rotation(parts.path, parts.store);
    return *done;
}

}  // namespace rekey::server::bootstrap
