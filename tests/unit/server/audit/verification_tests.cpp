#include "storage/audit_chain.hpp"
#include "tests/unit/server/audit/audit_world.hpp"

using namespace rekey;
using namespace rekey::server;
using protocol::ChainFaultKind;
using rekey::server::testing::AuditWorld;

namespace {

struct Fixture : AuditWorld {
    Fixture() {
        append(20);
        signer.look(audit::Checkpoints::Newest::always, [](const Result<>&) {});
        append(10);
        signer.look(audit::Checkpoints::Newest::always, [](const Result<>&) {});
        append(3);
    }
    Result<audit::Verification::Progress> page(audit::Verification& verification) {
        Result<audit::Verification::Progress> progress = audit::Verification::Progress::ended;
        store.read(
            [&](storage::Transaction& transaction) -> Result<> {
                progress = verification.page(transaction);
                return {};
            },
            [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
        return progress;
    }
    // Why nothing behind this place can be verified; `internal` if it can.
    Code refusal(const protocol::ChainHead& known) {
        audit::Verification verification(key, known);
        const auto progress = page(verification);
        return progress.has_error() ? progress.error().code() : Code::internal;
    }
    void expect(ChainFaultKind kind, std::uint64_t seq) {
        const auto fault = verify().fault();
        BOOST_REQUIRE(fault.has_value());
        BOOST_TEST(protocol::name_of(fault->kind) == protocol::name_of(kind));
        BOOST_TEST(fault->seq == seq);
    }
    // From `seq` on, as one would who can write to the database.
    void write_anew(std::uint64_t seq) {
        storage::ChainHead head{seq - 1, row(seq).previous_hash};
        for (std::uint64_t i = seq; i <= database->audit_head.seq; ++i) {
            row(i).event.actor = "somebody else";
            row(i).previous_hash = head.hash;
            row(i).hash = storage::audit_hash(row(i));
            head = {i, row(i).hash};
        }
        database->audit_head = head;
    }
    void erase(std::uint64_t first, std::uint64_t last) {
        std::erase_if(database->audit, [&](const storage::AuditRow& row) {
            return row.seq >= first && row.seq <= last;
        });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verification_tests, Fixture)

BOOST_AUTO_TEST_CASE(an_honest_trail_is_verified) {
    const auto verification = verify();
    BOOST_TEST(!verification.fault());
    BOOST_TEST(verification.complete());
    BOOST_TEST(verification.first_seq() == 1U);
    BOOST_TEST(verification.verifier().rows() == 33U);
    BOOST_TEST(verification.verifier().checkpoints() == 2U);
    BOOST_TEST((verification.verifier().head() == database->audit_head));
}

BOOST_AUTO_TEST_CASE(an_empty_trail_is_verified) {
    AuditWorld empty;
    BOOST_TEST(empty.verified());
    BOOST_TEST(empty.verify().first_seq() == 0U);
}

BOOST_AUTO_TEST_CASE(what_was_done_to_rows_is_found) {
    row(7).event.subject = "another";
    expect(ChainFaultKind::altered, 7);
    row(7).event.subject = "agent";
    BOOST_TEST(verified());
    erase(12, 13);
    expect(ChainFaultKind::missing, 12);
}

BOOST_AUTO_TEST_CASE(rows_that_changed_places_are_found) {
    row(11).event.subject = "another";
    write_anew(11);
    std::swap(row(24).event.time, row(25).event.time);
    std::swap(row(3).event.subject, row(4).event.subject);
    const auto fault = verify().fault();
    BOOST_TEST(fault.has_value());
}

BOOST_AUTO_TEST_CASE(a_trail_that_was_written_anew_meets_a_checkpoint) {
    write_anew(15);
    expect(ChainFaultKind::wrong_hash, 20);
}

BOOST_AUTO_TEST_CASE(a_tail_that_was_cut_off_is_missed_by_a_checkpoint) {
    erase(29, 33);
    expect(ChainFaultKind::truncated, 29);
    erase(1, 28);
    expect(ChainFaultKind::truncated, 1);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_was_made_up_is_found) {
    auto& checkpoint = database->audit_checkpoints.at(30);
    const auto honest = checkpoint;
    write_anew(25);
    checkpoint.hash = row(30).hash;
    expect(ChainFaultKind::bad_checkpoint, 30);
    // Signed, but by another key.
    const audit::CheckpointKey other{keys::PrivateKey::generate(keys::Algorithm::ed25519).value()};
    checkpoint = *other.sign({std::string(storage::kMainStream), 30, row(30).hash, Time{}, false});
    expect(ChainFaultKind::bad_checkpoint, 30);
    checkpoint = honest;
    expect(ChainFaultKind::wrong_hash, 30);
}

BOOST_AUTO_TEST_CASE(a_front_that_was_cut_off_is_found_even_at_a_checkpoint) {
    erase(1, 20);
    expect(ChainFaultKind::missing, 20);
    erase(21, 21);
    expect(ChainFaultKind::missing, 21);
}

BOOST_AUTO_TEST_CASE(it_goes_on_behind_a_known_place) {
    const auto known = protocol::ChainHead{25, row(25).hash};
    row(7).event.subject = "another";
    const auto verification = verify(known);
    BOOST_TEST(!verification.fault());
    BOOST_TEST(verification.first_seq() == 26U);
    BOOST_TEST(verification.verifier().rows() == 8U);
    auto wrong = known;
    wrong.hash[0] ^= 1;
    BOOST_TEST(verify(wrong).fault().has_value());
}

// The one defence against a tail that was cut off together with its checkpoints.
BOOST_AUTO_TEST_CASE(a_known_place_that_is_not_there_is_a_fault) {
    const auto fault_of = [&](std::uint64_t seq, Bytes32 hash) {
        const auto fault = verify(protocol::ChainHead{seq, hash}).fault();
        return fault ? std::string(protocol::name_of(fault->kind)) : std::string("none");
    };
    BOOST_TEST(fault_of(33, row(33).hash) == "none");
    BOOST_TEST(fault_of(33, Bytes32{1}) == "wrong_hash");
    BOOST_TEST(fault_of(34, Bytes32{1}) == "truncated");
    BOOST_TEST(fault_of(999'999, Bytes32{1}) == "truncated");
    const Bytes32 noted = row(33).hash;
    erase(31, 33);
    database->audit_head = {30, row(30).hash};
    BOOST_TEST(fault_of(33, noted) == "truncated");
    BOOST_TEST(fault_of(0, Bytes32{}) == "none");
}

BOOST_AUTO_TEST_CASE(many_rows_take_several_pages_and_calls) {
    append(limits::kVerifyPage * 2);
    BOOST_TEST(verified());
    const std::uint64_t rows = verify().verifier().rows();
    BOOST_TEST(rows == 33 + limits::kVerifyPage * 2);
}

// Retention takes away what was not looked at yet.
BOOST_AUTO_TEST_CASE(a_removal_in_between_is_no_fault) {
    append(limits::kVerifyPage * 2);
    signer.look(audit::Checkpoints::Newest::always, [](const Result<>&) {});
    const std::uint64_t place = database->audit_head.seq;
    append(limits::kVerifyPage);
    retain_days(1);
    audit::Verification verification(key, {});
    BOOST_REQUIRE((page(verification).value() == audit::Verification::Progress::goes_on));
    time.run_for(std::chrono::days{2});
    while (database->audit.front().seq <= place) retention.sweep([](const auto&) {});
    while (page(verification).value() == audit::Verification::Progress::goes_on) {
    }
    BOOST_TEST(!verification.fault());
    BOOST_TEST(verification.complete());
    BOOST_TEST(verification.first_seq() == place + 1);
}

// Behind a place that was known, rows that retention removed are nobody's fault, and not verified.
BOOST_AUTO_TEST_CASE(a_removal_behind_a_known_place_is_told_as_one) {
    const auto at = [&](std::uint64_t seq) { return protocol::ChainHead{seq, row(seq).hash}; };
    const auto inside = at(5);
    const auto beginning = at(20);
    const auto behind = at(25);
    time.run_for(std::chrono::days{2});
    append(1);
    retain_days(1);
    while (database->audit.front().seq <= 30) retention.sweep([](const auto&) {});
    BOOST_REQUIRE(database->audit.front().seq == 31U);
    BOOST_TEST((refusal(inside) == Code::conflict));
    BOOST_TEST((refusal(beginning) == Code::conflict));
    BOOST_TEST((refusal(behind) == Code::conflict));
    BOOST_TEST(!verify().fault());
}

BOOST_AUTO_TEST_CASE(what_stands_before_a_known_place_may_be_removed) {
    const auto before = protocol::ChainHead{30, row(30).hash};
    const auto behind = protocol::ChainHead{32, row(32).hash};
    time.run_for(std::chrono::days{2});
    append(1);
    retain_days(1);
    while (database->audit.front().seq <= 30) retention.sweep([](const auto&) {});
    for (const auto& known : {before, behind}) {
        BOOST_TEST(!verify(known).fault());
        BOOST_TEST(verify(known).first_seq() == known.seq + 1);
    }
}

BOOST_AUTO_TEST_CASE(a_thief_is_told_from_retention_behind_a_known_place) {
    const auto known = protocol::ChainHead{5, row(5).hash};
    const auto kind = [&] {
        const auto fault = verify(known).fault();
        return fault ? std::string(protocol::name_of(fault->kind)) : std::string("none");
    };
    // Up to a checkpoint, but not one that says so.
    erase(1, 20);
    BOOST_TEST(kind() == "missing");
    // That it says so is not enough: it has to be signed.
    const audit::CheckpointKey other{keys::PrivateKey::generate(keys::Algorithm::ed25519).value()};
    const auto honest = database->audit_checkpoints.at(20);
    database->audit_checkpoints.at(20) =
        *other.sign({std::string(storage::kMainStream), 20, honest.hash, Time{}, true});
    BOOST_TEST(kind() == "bad_checkpoint");
    // It is, but more is gone than it says.
    database->audit_checkpoints.at(20) =
        *key.sign({std::string(storage::kMainStream), 20, honest.hash, Time{}, true});
    BOOST_TEST((refusal(known) == Code::conflict));
    erase(21, 22);
    BOOST_TEST(kind() == "missing");
}

BOOST_AUTO_TEST_CASE(a_removal_between_pages_behind_a_known_place_is_told_as_one) {
    append(limits::kVerifyPage * 2);
    signer.look(audit::Checkpoints::Newest::always, [](const Result<>&) {});
    const std::uint64_t place = database->audit_head.seq;
    append(limits::kVerifyPage);
    retain_days(1);
    audit::Verification verification(key, protocol::ChainHead{5, row(5).hash});
    BOOST_REQUIRE((page(verification).value() == audit::Verification::Progress::goes_on));
    time.run_for(std::chrono::days{2});
    while (database->audit.front().seq <= place) retention.sweep([](const auto&) {});
    const auto next = page(verification);
    BOOST_REQUIRE(next.has_error());
    BOOST_TEST((next.error().code() == Code::conflict));
}

BOOST_AUTO_TEST_SUITE_END()
