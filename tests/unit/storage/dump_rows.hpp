#pragma once

#include "tests/unit/storage/conformance.hpp"

// What the dumps of schema 5 and 6 hold beside the content of schema_0004.sql: written by the store
// itself, from these rows.
namespace rekey::storage::testing {

inline constexpr Time kDumped{Milliseconds(1'800'000'000'000)};

inline Time after(std::int64_t ms) { return kDumped + Milliseconds(ms); }

// Agent 1's key 61 was used and then rotated into 62; 63 was revoked.
inline ApiKeyRow dumped_key(unsigned number) {
    ApiKeyRow row;
    row.key_id = id_of(number);
    row.agent_id = id_of(1);
    row.name = "deploys";
    row.key_hash = sha256("key " + std::to_string(number));
    row.capabilities = {{"agents:read", "files:read"}};
    row.created_at = after(number);
    row.expires_at = after(86'400'000);
    row.created_by = id_of(2);
    if (number == 61) {
        row.first_used_at = after(100);
        row.last_used_at = after(200);
        row.valid_until = after(3'600'000);
        row.successor_key_id = id_of(62);
    }
    if (number == 62) row.predecessor_key_id = id_of(61);
    if (number == 63) {
        row.capabilities.reset();
        row.expires_at.reset();
        row.revoked_at = after(300);
    }
    return row;
}

// Of the rotation of 61, whose answer was lost.
inline IdempotentAnswerRow dumped_answer() {
    return {id_of(1),         sha256("idempotency key"), "keys.rotate",
            sha256("params"), Bytes{1, 0, 255},          id_of(62),
            after(600'000)};
}

inline CapabilityRow dumped_capability() {
    return {id_of(70), "files:read", "Read the archive: caf\u00e9.", id_of(1), after(1)};
}

inline Report dumped_report(ReportKind kind) {
    switch (kind) {
        case ReportKind::capability:
            return {id_of(1), kind, "files:read", {{"source", "sdk"}}};
        case ReportKind::integration:
            return {id_of(1), kind, "sdk", {{"version", "1.2.3"}, {"platform", "linux"}}};
        case ReportKind::mcp_server:
            return {id_of(1), kind, "the \"web\"", {{"confidence", 90.5}}};
    }
    return {};
}

inline ProviderKeyVersionRow dumped_version(std::uint64_t number, ProviderKeyState state) {
    ProviderKeyVersionRow row;
    row.version = number;
    row.state = state;
    // An Ed25519 key as SubjectPublicKeyInfo: its prefix, and 32 bytes.
    row.public_key = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    const Bytes32 half = sha256("public half " + std::to_string(number));
    row.public_key.insert(row.public_key.end(), half.begin(), half.end());
    row.sealed_secret = Bytes{0, 255, static_cast<std::uint8_t>(number)};
    row.created_at = after(static_cast<std::int64_t>(number));
    if (state != ProviderKeyState::pre_published) row.activated_at = after(10);
    if (state == ProviderKeyState::active) return row;
    if (state != ProviderKeyState::pre_published) row.retired_at = after(20);
    if (state == ProviderKeyState::retiring) row.destroy_at = after(604'800'000);
    if (state == ProviderKeyState::destroyed) {
        row.destroy_at = after(30);
        row.destroyed_at = after(31);
        row.sealed_secret.reset();
    }
    return row;
}

// The key of access tokens with a version in each state, changed once since it was made.
inline ProviderKeyRow dumped_signing_key() {
    ProviderKeyRow row;
    row.kid = id_of(80);
    row.spec = {{"class", "asymmetric"},
                {"algorithm", "ed25519"},
                {"size_bits", 256},
                {"uses", {"sign", "verify"}},
                {"export_policy", "never"},
                {"label", "access tokens"},
                {"tags", {{"rekey.use", "access_tokens"}}}};
    row.next_version = 5;
    row.row_version = 2;
    row.created_at = kDumped;
    row.versions = {dumped_version(1, ProviderKeyState::destroyed),
                    dumped_version(2, ProviderKeyState::retiring),
                    dumped_version(3, ProviderKeyState::active),
                    dumped_version(4, ProviderKeyState::pre_published)};
    return row;
}

inline ProviderKeyRow dumped_symmetric_key() {
    ProviderKeyRow row;
    row.kid = id_of(81);
    row.spec = {{"class", "symmetric"}, {"algorithm", "aes-256-gcm"}, {"label", "boxes"}};
    row.next_version = 2;
    row.row_version = 1;
    row.created_at = kDumped;
    row.versions = {dumped_version(1, ProviderKeyState::active)};
    row.versions[0].public_key.clear();
    return row;
}

// `hash`: of the row at `seq`.
inline AuditCheckpointRow dumped_checkpoint(std::uint64_t seq, const Bytes32& hash) {
    return {"main", seq, hash, after(static_cast<std::int64_t>(seq)),
            "header.payload-" + std::to_string(seq) + ".signature_"};
}
inline constexpr std::uint64_t kDumpedCheckpoints[] = {4, 6};
inline constexpr std::size_t kDumpedAuditRows = 7;

// Schema 6 only.
inline EnrollmentCodeRow dumped_code() {
    EnrollmentCodeRow row;
    row.code_id = id_of(51);
    row.agent_id = id_of(2);
    row.code_hash = sha256("code 51");
    row.created_by = id_of(1);
    row.created_at = after(2);
    row.expires_at = after(600'000);
    row.maker_capabilities = {"agents:write", "files:read"};
    return row;
}

}  // namespace rekey::storage::testing
