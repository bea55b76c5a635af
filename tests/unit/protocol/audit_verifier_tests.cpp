#include "base/hash.hpp"
#include "protocol/audit_verifier.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <vector>

using namespace rekey;
using namespace rekey::protocol;

namespace {

struct Row {
    std::string subject;
    std::uint64_t seq = 0;
    Bytes32 previous_hash{};
    Bytes32 hash{};
    [[nodiscard]] AuditFacts facts() const {
        return {.stream_id = kMainStream,
                .seq = seq,
                .time = Time(Milliseconds(1'800'000'000'000)),
                .actor = "system",
                .action = "agent.created",
                .subject = subject,
                .outcome = "ok",
                .details = "{}",
                .previous_hash = previous_hash};
    }
};

struct Fixture {
    Fixture() {
        Bytes32 previous{};
        for (std::uint64_t seq = 1; seq <= 10; ++seq) {
            Row row{"agent " + std::to_string(seq), seq, previous, {}};
            row.hash = audit_hash(row.facts());
            previous = row.hash;
            rows.push_back(row);
        }
    }
    // A "signature" that this fixture's key made.
    StoredCheckpoint sign(std::uint64_t seq, bool beginning = false) {
        const Bytes32 hash = rows.at(seq - 1).hash;
        const std::string signature = "signed " + std::to_string(signed_.size());
        signed_[signature] = {std::string(kMainStream), seq, hash, Time{}, beginning};
        return {std::string(kMainStream), seq, hash, signature};
    }
    AuditVerifier verifier() {
        return AuditVerifier(std::string(kMainStream),
                             [this](std::string_view text) -> std::optional<AuditCheckpoint> {
                                 const auto found = signed_.find(std::string(text));
                                 if (found == signed_.end()) return std::nullopt;
                                 return found->second;
                             });
    }
    static std::optional<ChainFault> walk(AuditVerifier& verifier, const std::vector<Row>& rows) {
        for (const Row& row : rows)
            if (auto fault = verifier.row(row.facts(), row.hash)) return fault;
        return verifier.finish();
    }

    std::vector<Row> rows;
    std::map<std::string, AuditCheckpoint> signed_;
};

bool is(const std::optional<ChainFault>& fault, ChainFaultKind kind, std::uint64_t seq) {
    return fault == ChainFault{kind, seq};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_verifier_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_payload_says_what_was_signed) {
    const AuditCheckpoint checkpoint{"main", 7, sha256("x"), Time(Milliseconds(1'800'000'000'123)),
                                     true};
    const auto read = parse_checkpoint(to_payload(checkpoint));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == checkpoint));
    const std::string short_hash = R"({"stream_id":"main","seq":1,"hash":"00",)"
                                   R"("time":"2026-01-01T00:00:00Z","beginning":false})";
    for (const std::string& wrong : {std::string(), std::string("{}"), std::string("[]"),
                                     std::string(R"({"stream_id":"main","seq":0})"), short_hash})
        BOOST_TEST(parse_checkpoint(wrong).has_error(), wrong);
}

BOOST_AUTO_TEST_CASE(a_whole_chain_passes_its_checkpoints) {
    auto verifier = this->verifier();
    BOOST_TEST(!verifier.expect(sign(4)));
    BOOST_TEST(!verifier.expect(sign(10)));
    BOOST_TEST(!verifier.expect(ChainHead{9, rows[8].hash}));
    BOOST_TEST(!walk(verifier, rows));
    BOOST_TEST(verifier.rows() == 10U);
    BOOST_TEST(verifier.checkpoints() == 2U);
    BOOST_TEST(verifier.last_checkpoint() == 10U);
    BOOST_TEST((verifier.head() == ChainHead{10, rows[9].hash}));
}

BOOST_AUTO_TEST_CASE(a_tail_that_was_cut_off_is_missed) {
    auto verifier = this->verifier();
    BOOST_TEST(!verifier.expect(sign(9)));
    rows.resize(8);
    BOOST_TEST(is(walk(verifier, rows), ChainFaultKind::truncated, 9));
    BOOST_TEST(verifier.last_checkpoint() == 0U);
    auto known = this->verifier();
    BOOST_TEST(!known.expect(ChainHead{9, Bytes32{}}));
    BOOST_TEST(is(walk(known, rows), ChainFaultKind::truncated, 9));
    auto unaware = this->verifier();
    BOOST_TEST(!walk(unaware, rows));
}

// Somebody who can write everything but has no key writes all rows anew.
BOOST_AUTO_TEST_CASE(a_chain_that_was_written_anew_fails_at_the_next_checkpoint) {
    const auto checkpoint = sign(6);
    Bytes32 previous = rows[2].hash;
    for (std::size_t i = 3; i < rows.size(); ++i) {
        rows[i].subject = "somebody else";
        rows[i].previous_hash = previous;
        previous = rows[i].hash = audit_hash(rows[i].facts());
    }
    auto verifier = this->verifier();
    BOOST_TEST(!verifier.expect(checkpoint));
    BOOST_TEST(is(walk(verifier, rows), ChainFaultKind::wrong_hash, 6));
    // With the checkpoint's hash changed as well.
    StoredCheckpoint forged = checkpoint;
    forged.hash = rows[5].hash;
    BOOST_TEST(is(this->verifier().expect(forged), ChainFaultKind::bad_checkpoint, 6));
    forged = checkpoint;
    forged.signature = "made up";
    BOOST_TEST(is(this->verifier().expect(forged), ChainFaultKind::bad_checkpoint, 6));
    forged = checkpoint;
    forged.seq = 7;
    BOOST_TEST(is(this->verifier().expect(forged), ChainFaultKind::bad_checkpoint, 7));
}

BOOST_AUTO_TEST_CASE(a_chain_begins_behind_a_checkpoint_that_says_so) {
    const std::vector<Row> kept(rows.begin() + 4, rows.end());
    auto verifier = this->verifier();
    BOOST_TEST(!verifier.begin_behind(sign(4, true), AuditVerifier::Start::kept));
    BOOST_TEST(!walk(verifier, kept));
    BOOST_TEST(verifier.rows() == 6U);
    // The oldest rows were cut off up to one that does not.
    auto cut = this->verifier();
    BOOST_TEST(
        is(cut.begin_behind(sign(4), AuditVerifier::Start::kept), ChainFaultKind::missing, 4));
    auto part = this->verifier();
    BOOST_TEST(!part.begin_behind(sign(4), AuditVerifier::Start::part));
    BOOST_TEST(!walk(part, kept));
    auto from_one = this->verifier();
    BOOST_TEST(is(walk(from_one, kept), ChainFaultKind::missing, 1));
}

BOOST_AUTO_TEST_CASE(another_streams_row_is_none_of_it) {
    auto verifier = this->verifier();
    AuditFacts facts = rows[0].facts();
    facts.stream_id = "other";
    BOOST_TEST(is(verifier.row(facts, audit_hash(facts)), ChainFaultKind::altered, 1));
}

BOOST_AUTO_TEST_SUITE_END()
