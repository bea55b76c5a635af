#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
namespace json = boost::json;

namespace {

// A trail of more than twenty rows, of which retention, or somebody else, takes away the first ten.
struct Fixture : DoorWorld {
    Fixture() {
        static_cast<void>(write<bool>([this](storage::Transaction& transaction) -> Result<bool> {
            for (int i = 0; i < 20; ++i)
                transaction.audit().append({.time = clock.now(),
                                            .actor = "system",
                                            .action = "agent.created",
                                            .subject = "agent",
                                            .outcome = "ok",
                                            .details = {}});
            return true;
        }));
        kept_hash = row_at(kRemoved).hash;
        const auto all = ok(admin, "audit.export", {{"limit", 3}});
        cursor = std::string(all.at("next_cursor").as_string());
        known = cursor + ":" + to_hex(row_at(3).hash);
    }
    storage::AuditRow row_at(std::uint64_t seq) {
        return read<std::vector<storage::AuditRow>>([&](storage::Transaction& transaction) {
                   return transaction.audit().walk(seq - 1, 1);
               })
            .at(0);
    }
    enum class By : std::uint8_t { retention, thief };
    // Both end at a checkpoint; only retention signs that what is left begins there.
    void remove(By by) {
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.audit().remove_up_to(kRemoved));
            REKEY_TRY(transaction.audit_checkpoints().remove_before(kRemoved));
            REKEY_TRY_ASSIGN(place, audit_key.sign({std::string(storage::kMainStream), kRemoved,
                                                    kept_hash, clock.now(), by == By::retention}));
            REKEY_TRY(transaction.audit_checkpoints().put(place));
            return true;
        }));
    }

    static constexpr std::uint64_t kRemoved = 10;
    Bytes32 kept_hash{};
    std::string cursor;
    std::string known;
};

std::uint64_t first_seq(const json::object& page) {
    return page.at("rows").at(0).at("seq").to_number<std::uint64_t>();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_chain_tests, Fixture)

BOOST_AUTO_TEST_CASE(an_export_that_retention_overtook_is_told_to_begin_again) {
    remove(By::retention);
    BOOST_TEST((refused(admin, "audit.export", {{"cursor", cursor}}) == Code::conflict));
    const auto anew = ok(admin, "audit.export");
    BOOST_TEST(first_seq(anew) == kRemoved + 1);
    // What was removed had been read: nothing is missing between these pages.
    const auto next = ok(admin, "audit.export", {{"cursor", std::to_string(kRemoved)}});
    BOOST_TEST(first_seq(next) == kRemoved + 1);
}

BOOST_AUTO_TEST_CASE(an_export_shows_a_gap_that_nobody_signed) {
    remove(By::thief);
    const auto next = ok(admin, "audit.export", {{"cursor", cursor}});
    BOOST_TEST(first_seq(next) == kRemoved + 1);
}

BOOST_AUTO_TEST_CASE(a_verification_that_retention_overtook_is_told_to_begin_again) {
    remove(By::retention);
    BOOST_TEST((refused(admin, "audit.verify", {{"cursor", known}}) == Code::conflict));
    BOOST_TEST(ok(admin, "audit.verify").at("verified").as_bool());
    const std::string at = std::to_string(kRemoved) + ":" + to_hex(kept_hash);
    BOOST_TEST(ok(admin, "audit.verify", {{"cursor", at}}).at("verified").as_bool());
}

BOOST_AUTO_TEST_CASE(a_verification_finds_a_gap_that_nobody_signed) {
    remove(By::thief);
    const auto found = ok(admin, "audit.verify", {{"cursor", known}});
    BOOST_TEST(!found.at("verified").as_bool());
    BOOST_TEST(found.at("fault").at("kind").as_string() == "missing");
}

BOOST_AUTO_TEST_SUITE_END()
