#include "base/durable_file.hpp"
#include "base/hash.hpp"
#include "keys/master_key_file.hpp"
#include "keys/seal.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/checkpoint_key.hpp"
#include "server/bootstrap/master_key.hpp"
#include "server/bootstrap/master_key_rotation.hpp"
#include "server/bootstrap/server_certificate.hpp"
#include "server/signing/signing_keys.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/server/support/world.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::ManualClock;

namespace {

constexpr std::string_view kAgent = "0190a000-0000-7000-8000-000000000001";
constexpr std::string_view kRotation = "0190a000-0000-7000-8000-000000000002";

// A database in which something of every kind is sealed, and the file of its master key.
struct Fixture {
    Fixture() {
        old_id = key().id();
        certificates(key());
        const keys::MasterKey master = key();
        checkpoint_kid = checkpoint_key(master);
        signing::SigningKeys made{{store, master, settings, clock, random, *log}};
        token_kid = made.token_kid();
        write_rows(master);
    }

    [[nodiscard]] keys::MasterKey key() { return bootstrap::open_master_key(path, store, random); }
    [[nodiscard]] bootstrap::MasterKeyParts parts() { return {store, clock, random, path}; }
    void certificates(const keys::MasterKey& master) {
        static_cast<void>(bootstrap::open_own_certificate(
            {store, master, clock, random, *log, folder.file("ca.pem"), "localhost"}));
    }
    std::string checkpoint_key(const keys::MasterKey& master) {
        return bootstrap::open_checkpoint_key(store, master, random, *log).jwk().kid;
    }
    template <class Unit>
    void write(Unit unit) {
        BOOST_REQUIRE(
            bootstrap::write_now<bool>(store,
                                       [&](storage::Transaction& transaction) -> Result<bool> {
                                           REKEY_TRY(unit(transaction));
                                           return true;
                                       })
                .has_value());
    }
    [[nodiscard]] std::string answer_purpose() const {
        return "idempotent-answer\n" + std::string(kAgent) + "\n" + to_hex(sha256("key"));
    }
    void write_rows(const keys::MasterKey& master) {
        write([&](storage::Transaction& transaction) -> Result<> {
            storage::AgentRow row;
            row.agent_id = kAgent;
            row.name = "agent";
            storage::PendingToken pending;
            pending.generation = 4;
            pending.rotation_id = kRotation;
            pending.sealed_token = keys::seal_token(master, {kAgent, kRotation, 4},
                                                    Secret("the pending token"), random);
            row.credentials.pending = pending;
            REKEY_TRY(transaction.agents().insert(row));
            storage::IdempotentAnswerRow answer;
            answer.caller_id = kAgent;
            answer.idempotency_key_hash = sha256("key");
            answer.sealed_answer =
                keys::seal(master, answer_purpose(), Secret("the answer"), random);
            answer.expires_at = clock.now() + std::chrono::minutes{5};
            return transaction.idempotent_answers().put(answer);
        });
    }

    // Everything opens as after a start, and nothing is sealed under another key than the one in
    // force.
    void require_whole() {
        const keys::MasterKey master = key();
        certificates(master);
        BOOST_TEST(checkpoint_key(master) == checkpoint_kid);
        signing::SigningKeys opened{{store, master, settings, clock, random, *log}};
        BOOST_TEST(opened.token_kid() == token_kid);
        BOOST_TEST(opened.sign("at+jwt", "{}").has_value());
        const auto& pending = *database->agents.begin()->second.credentials.pending;
        const auto token = keys::open_token(master, {kAgent, kRotation, 4}, pending.sealed_token);
        BOOST_REQUIRE(token.has_value());
        BOOST_TEST(token->expose() == "the pending token");
        const auto& answer = database->idempotent_answers.begin()->second;
        const auto text = keys::open(master, answer_purpose(), answer.sealed_answer);
        BOOST_REQUIRE(text.has_value());
        BOOST_TEST(text->expose() == "the answer");
        std::size_t sealed = 0;
        const auto look = [&](ByteView bytes) {
            const auto made_with = keys::sealing_key_id(bytes);
            if (!made_with) return;
            ++sealed;
            BOOST_TEST(*made_with == master.id());
        };
        // Every fact that is sealed, also one that a later version adds and the rotation forgets.
        for (const auto& [name, value] : database->meta) look(value);
        for (const auto& [kid, row] : database->provider_keys)
            for (const auto& version : row.versions)
                if (version.sealed_secret) look(*version.sealed_secret);
        BOOST_TEST(sealed >= 5U);
    }
    [[nodiscard]] std::string id_in(const std::string& file) const {
        const auto found = keys::read_master_key(file);
        return found ? found->id() : "none";
    }

    rekey::testing::TemporaryDirectory folder;
    std::string path = folder.file("master.key");
    ManualClock clock;
    SystemRandom random;
    LiveSettings settings{SettingValues{}};
    std::unique_ptr<Log> log = make_silent_log();
    bool disk_is_full = false;
    std::shared_ptr<storage::MemoryDatabase> database = std::make_shared<storage::MemoryDatabase>();
    storage::MemoryStore store{database, {.before_commit = [this]() -> Result<> {
                                   if (!disk_is_full) return {};
                                   return Error(Code::unavailable, "disk full");
                               }}};
    std::string old_id;
    std::string token_kid;
    std::string checkpoint_kid;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(master_key_rotation_tests, Fixture)

BOOST_AUTO_TEST_CASE(everything_is_sealed_again) {
    require_whole();
    const auto done = bootstrap::rotate_master_key(parts());
    BOOST_TEST(done.tokens == 1U);
    BOOST_TEST(done.answers == 1U);
    BOOST_TEST(done.keys == 5U);  // CA, leaf, checkpoints, two versions of the token key
    BOOST_TEST(key().id() != old_id);
    BOOST_TEST(id_in(path + ".old") == old_id);
    BOOST_TEST(::access((path + ".next").c_str(), F_OK) != 0);
    require_whole();
    BOOST_TEST(database->audit.back().event.action == "master_key.rotated");
    BOOST_TEST(database->audit.back().event.details.at("before").as_string() == old_id);
    // And once more.
    const std::string second = key().id();
    static_cast<void>(bootstrap::rotate_master_key(parts()));
    BOOST_TEST(id_in(path + ".old") == second);
    require_whole();
}

BOOST_AUTO_TEST_CASE(a_crash_before_the_transaction_changes_nothing) {
    const std::string next = bootstrap::prepare_next_master_key(parts()).id();
    BOOST_TEST(key().id() == old_id);
    require_whole();
    // The next try goes on with the same key.
    static_cast<void>(bootstrap::rotate_master_key(parts()));
    BOOST_TEST(key().id() == next);
    require_whole();
}

BOOST_AUTO_TEST_CASE(a_crash_after_the_transaction_is_made_up_for_at_the_next_start) {
    const auto next = bootstrap::prepare_next_master_key(parts());
    BOOST_REQUIRE(bootstrap::seal_again(parts(), key(), next).has_value());
    BOOST_TEST(id_in(path) == old_id);
    BOOST_TEST(key().id() == next.id());
    BOOST_TEST(id_in(path) == next.id());
    BOOST_TEST(id_in(path + ".old") == old_id);
    BOOST_TEST(id_in(path + ".next") == "none");
    require_whole();
}

BOOST_AUTO_TEST_CASE(a_crash_between_the_files_is_made_up_for_too) {
    const auto next = bootstrap::prepare_next_master_key(parts());
    const auto old = key();
    BOOST_REQUIRE(bootstrap::seal_again(parts(), old, next).has_value());
    keys::write_master_key(path + ".old", old);
    keys::write_master_key(path, next);
    BOOST_TEST(key().id() == next.id());
    BOOST_TEST(id_in(path + ".old") == old_id);
    BOOST_TEST(id_in(path + ".next") == "none");
    require_whole();
}

BOOST_AUTO_TEST_CASE(a_write_that_fails_leaves_the_old_key_in_force) {
    disk_is_full = true;
    BOOST_CHECK_THROW(static_cast<void>(bootstrap::rotate_master_key(parts())), StartupError);
    disk_is_full = false;
    BOOST_TEST(key().id() == old_id);
    require_whole();
    static_cast<void>(bootstrap::rotate_master_key(parts()));
    BOOST_TEST(key().id() != old_id);
    require_whole();
}

BOOST_AUTO_TEST_CASE(what_does_not_open_stops_it) {
    write([&](storage::Transaction& transaction) -> Result<> {
        REKEY_TRY_ASSIGN(row, transaction.agents().find(kAgent));
        row.credentials.pending->sealed_token[20] ^= 1;
        return transaction.agents().update(row);
    });
    const auto before = database->provider_keys.begin()->second.row_version;
    BOOST_CHECK_THROW(static_cast<void>(bootstrap::rotate_master_key(parts())), StartupError);
    BOOST_TEST(key().id() == old_id);
    BOOST_TEST(database->provider_keys.begin()->second.row_version == before);
    BOOST_TEST(*keys::sealing_key_id(database->meta.at("ca_private_key")) == old_id);
}

BOOST_AUTO_TEST_SUITE_END()
