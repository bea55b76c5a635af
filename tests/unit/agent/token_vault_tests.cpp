#include "agent/token_vault.hpp"
#include "fakes.hpp"
#include "protocol/proof.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

struct Fixture {
    Fixture() { disk.content = encode_state(state_with({held(1, kConfirmed)})); }
    FakeDisk disk;
};

const rotation::HeldTokens kNext{held(1, kConfirmed), held(2, kCandidate)};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(token_vault_tests, Fixture)

BOOST_AUTO_TEST_CASE(only_a_missing_file_is_not_enrolled) {  // A5
    disk.content.reset();
    BOOST_TEST((TokenVault::open(disk).error().code() == Code::not_found));
    for (const std::string text : {"", "{", "{}", "not json"}) {
        disk.content = Secret(text);
        BOOST_TEST((TokenVault::open(disk).error().code() == Code::corrupt));
    }
    for (const Code code : {Code::unavailable, Code::permission_denied, Code::invalid_params}) {
        disk.read_error = Error(code, "injected");
        BOOST_TEST((TokenVault::open(disk).error().code() == code));
    }
}

BOOST_AUTO_TEST_CASE(a_store_is_read_back_before_it_counts) {
    auto vault = TokenVault::open(disk).value();
    BOOST_TEST(vault.store(kNext).durable());
    BOOST_TEST((vault.held() == kNext));
    BOOST_TEST((decode_state(*disk.content)->tokens == kNext));
    BOOST_TEST(vault.newest_confirmed().generation == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_start_finds_is_made_durable_before_it_is_used) {
    auto vault = TokenVault::open(disk).value();
    disk.sync_error = Error(Code::unavailable, "injected");
    BOOST_TEST(!vault.make_durable());
    disk.sync_error.reset();
    BOOST_TEST(vault.make_durable());
    const unsigned syncs = disk.syncs;
    BOOST_TEST(vault.make_durable());
    BOOST_TEST(disk.syncs == syncs, "once is enough");
}

BOOST_AUTO_TEST_CASE(after_a_failure_behind_the_rename_it_is_synced_or_written_again) {
    auto vault = TokenVault::open(disk).value();
    BOOST_TEST(vault.make_durable());
    disk.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    BOOST_TEST(!vault.store(kNext).durable());
    disk.sync_error = Error(Code::unavailable, "injected");
    BOOST_TEST(!vault.make_durable());
    disk.sync_error.reset();
    BOOST_TEST(vault.make_durable());
    disk.fail_writes.reset();
    disk.read_lies = Secret("something else");
    BOOST_TEST(!vault.store(kNext).durable());
    BOOST_TEST(!vault.make_durable(), "a sync does not mend a disk that lies");
    disk.read_lies.reset();
    BOOST_TEST(vault.make_durable());
}

// Rule B, and its end: unknown_credential must not drop what the file says is confirmed.
BOOST_AUTO_TEST_CASE(a_confirmation_that_could_be_taken_back_stands_once_it_is_synced) {
    auto vault = TokenVault::open(disk).value();
    BOOST_REQUIRE(vault.store(kNext).durable());
    rotation::HeldTokens confirmed = kNext;
    for (auto& token : confirmed) token.state = kConfirmed;
    disk.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    BOOST_TEST(!vault.store(confirmed).durable());
    BOOST_TEST((vault.held() == kNext), "none yet");
    disk.fail_writes = WriteFailure{WriteStage::before_rename, ENOSPC, "full"};
    BOOST_TEST(!vault.store(confirmed).durable());
    BOOST_TEST((vault.held() == kNext));
    BOOST_TEST(vault.make_durable());
    BOOST_TEST((vault.held() == confirmed));
}

BOOST_AUTO_TEST_CASE(a_failure_before_the_rename_changes_nothing) {
    auto vault = TokenVault::open(disk).value();
    disk.fail_writes = WriteFailure{WriteStage::before_rename, ENOSPC, "full"};
    const auto outcome = vault.store(kNext);
    BOOST_TEST((outcome.outcome == rotation::WriteOutcome::failed_before_rename));
    BOOST_TEST((outcome.reason == rotation::FailureReason::disk_full));
    BOOST_TEST(outcome.detail == "full");
    BOOST_TEST((vault.held() == rotation::HeldTokens{held(1, kConfirmed)}));
}

BOOST_AUTO_TEST_CASE(a_failure_after_the_rename_keeps_what_may_be_found) {
    auto vault = TokenVault::open(disk).value();
    disk.fail_writes = WriteFailure{WriteStage::after_rename, EROFS, "fsync"};
    const auto outcome = vault.store(kNext);
    BOOST_TEST((outcome.outcome == rotation::WriteOutcome::failed_after_rename));
    BOOST_TEST((outcome.reason == rotation::FailureReason::read_only));
    BOOST_TEST((vault.held() == kNext));
}

BOOST_AUTO_TEST_CASE(a_read_back_that_differs_is_named) {
    auto vault = TokenVault::open(disk).value();
    disk.read_lies = encode_state(state_with({held(1, kConfirmed), held(3, kCandidate)}));
    const auto outcome = vault.store(kNext);
    BOOST_TEST((outcome.outcome == rotation::WriteOutcome::failed_after_rename));
    BOOST_TEST((outcome.reason == rotation::FailureReason::readback_differs));
    BOOST_TEST(outcome.detail.find("token-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_proof_is_over_the_bytes_on_the_disk) {
    auto vault = TokenVault::open(disk).value();
    BOOST_TEST(protocol::rotation_proof_is_valid(vault.prove(uuid(1)).value(),
                                                 Secret(token_text(1)), kAgentId, uuid(1), 1));
    auto changed = held(1, kConfirmed);
    changed.token = Secret("other bytes");
    disk.content = encode_state(state_with({changed}));
    BOOST_TEST(protocol::rotation_proof_is_valid(vault.prove(uuid(1)).value(),
                                                 Secret("other bytes"), kAgentId, uuid(1), 1));
    BOOST_TEST(vault.prove(uuid(2)).has_error());
    disk.read_error = Error(Code::unavailable);
    BOOST_TEST(vault.prove(uuid(1)).has_error());
}

BOOST_AUTO_TEST_CASE(memory_disks_keep_what_they_are_given) {
    MemoryDisk memory;
    BOOST_TEST((TokenVault::open(memory).error().code() == Code::not_found));
    BOOST_REQUIRE(!memory.write(encode_state(state_with({held(1, kConfirmed)}))));
    auto vault = TokenVault::open(memory).value();
    BOOST_TEST(vault.store(kNext).durable());
    BOOST_TEST((TokenVault::open(memory)->held() == kNext));
}

BOOST_AUTO_TEST_SUITE_END()
