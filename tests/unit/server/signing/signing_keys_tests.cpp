#include "base/limits.hpp"
#include "keys/jws.hpp"
#include "server/signing/signing_keys.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "storage/store_async.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/server/support/world.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <thread>

namespace rekey::server::signing {
namespace {

using namespace std::chrono_literals;
using rekey::server::testing::ManualClock;

struct Fixture {
    Fixture() { start(); }
    ~Fixture() {
        keys.reset();
        store->stop();
    }
    void start() { keys.emplace(parts()); }
    [[nodiscard]] SigningKeys::Parts parts() {
        return {*store, master_key, settings, clock, random, *log};
    }
    // Runs one change and waits for it; what the change answered.
    template <class Change>
    auto change(Change change) {
        using Answer = decltype(change(std::declval<keys::KeyProvider&>()));
        std::optional<Answer> answer;
        std::promise<void> done;
        const auto posted = keys->change(
            {.run = [&](keys::KeyProvider& provider) { answer.emplace(change(provider)); },
             .still_allowed = still_allowed,
             .done = [&] { done.set_value(); }});
        BOOST_REQUIRE(posted.has_value());
        done.get_future().wait();
        return *std::move(answer);
    }
    void tick() {
        keys->tick();
        change([](keys::KeyProvider&) { return 0; });
    }
    template <class T, class Unit>
    T run(Unit unit) {
        std::promise<Result<T>> answer;
        storage::write_as<T>(
            *store, [](auto action) { action(); }, std::move(unit),
            [&](Result<T> result) { answer.set_value(std::move(result)); });
        return answer.get_future().get().value();
    }
    std::vector<storage::AuditRow> audited(const std::string& action) {
        return run<std::vector<storage::AuditRow>>([=](storage::Transaction& transaction) {
            storage::AuditFilter filter;
            filter.action = action;
            return transaction.audit().query(filter, limits::kPageRows);
        });
    }
    [[nodiscard]] std::string token() const { return *keys->sign("at+jwt", "{}"); }

    rekey::testing::TemporaryDirectory folder;
    ManualClock clock;
    SystemRandom random;
    std::unique_ptr<Log> log = make_silent_log();
    LiveSettings settings{SettingValues{}};
    keys::MasterKey master_key = keys::MasterKey::generate(random);
    std::unique_ptr<storage::Store> store =
        storage::open_sqlite_store({folder.file("rekey.db"), clock, *log});
    std::optional<SigningKeys> keys;
    StillAllowed still_allowed;  // of whoever asks for changes
};

bool verifies(const std::string& token, const VerifyingKeys& set) {
    const auto jws = keys::parse_compact(token);
    const keys::PublicKey* key = set.find(jws->header.kid);
    return key != nullptr && keys::verify(*jws, *key);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signing_keys_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_first_start_makes_the_key_and_its_successor) {
    const auto set = keys->verifying_keys();
    BOOST_TEST(set->keys().size() == 2U);
    const std::string before = token();
    BOOST_TEST(verifies(before, *set));
    const auto jws = keys::parse_compact(before);
    BOOST_CHECK(jws->header.algorithm == keys::Algorithm::ed25519);
    BOOST_TEST(jws->header.typ == "at+jwt");
    BOOST_TEST(jws->header.kid == keys->token_kid() + ".1");
    const std::string kid = keys->token_kid();
    keys.reset();
    start();
    BOOST_TEST(keys->token_kid() == kid);
    BOOST_TEST(keys->provider().list().size() == 1U);
    BOOST_TEST(verifies(before, *keys->verifying_keys()));
    BOOST_TEST(audited("signing_key.created").size() == 1U);
    BOOST_TEST(audited("signing_key.published").size() == 1U);
    BOOST_TEST(audited("signing_key.created")[0].event.actor == "system");
}

BOOST_AUTO_TEST_CASE(a_scheduled_rotation_fails_no_verifier) {
    const auto cached = keys->verifying_keys();
    const std::string before = token();
    clock.advance(std::chrono::days{30} - 1ms);
    tick();
    BOOST_TEST(keys->verifying_keys()->change() == cached->change());
    clock.advance(1ms);
    tick();
    const auto now = keys->verifying_keys();
    const std::string after = token();
    BOOST_TEST(keys::parse_compact(after)->header.kid == keys->token_kid() + ".2");
    // Next, current and previous.
    BOOST_TEST(now->keys().size() == 3U);
    BOOST_TEST(now->change() > cached->change());
    BOOST_TEST(verifies(after, *cached));
    BOOST_TEST(verifies(before, *now));
    tick();
    BOOST_TEST(keys->verifying_keys()->change() == now->change());
    BOOST_TEST(audited("signing_key.rotated").size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_period_is_the_settings) {
    SettingValues values;
    values.signing_key_rotation_days = 2;
    settings.replace(values);
    clock.advance(std::chrono::days{1});
    tick();
    BOOST_TEST(keys::parse_compact(token())->header.kid == keys->token_kid() + ".1");
    clock.advance(std::chrono::days{1});
    tick();
    BOOST_TEST(keys::parse_compact(token())->header.kid == keys->token_kid() + ".2");
}

BOOST_AUTO_TEST_CASE(the_previous_key_is_withdrawn_after_its_tokens_and_then_destroyed) {
    const std::string before = token();
    clock.advance(std::chrono::days{30});
    tick();
    clock.advance(limits::kRetiringKeyLife - 1ms);
    tick();
    BOOST_TEST(verifies(before, *keys->verifying_keys()));
    clock.advance(1ms);
    tick();
    BOOST_TEST(!verifies(before, *keys->verifying_keys()));
    BOOST_TEST(keys->verifying_keys()->keys().size() == 2U);
    const auto version = [&] { return keys->provider().list_versions(keys->token_kid())->front(); };
    BOOST_CHECK(version().state == keys::KeyState::retiring);
    clock.advance(limits::kDestructionDelayMin);
    tick();
    BOOST_CHECK(version().state == keys::KeyState::destroyed);
    const auto row = run<storage::ProviderKeyRow>([&](storage::Transaction& transaction) {
        return transaction.provider_keys().find(keys->token_kid());
    });
    BOOST_TEST(!row.versions[0].sealed_secret.has_value());
    BOOST_TEST(row.versions[1].sealed_secret.has_value());
    // What it signed for the archive is verified all the same.
    BOOST_TEST(keys::verify(*keys::parse_compact(before),
                            keys->provider().public_jwk(keys->token_kid(), 1)->key));
}

BOOST_AUTO_TEST_CASE(a_stolen_key_goes_at_once) {
    const std::string stolen = token();
    const std::string kid = keys->token_kid();
    BOOST_REQUIRE(change([&](keys::KeyProvider& provider) {
                      return provider.rotate(kid, keys::RotateRule::at_once, {});
                  }).has_value());
    BOOST_TEST(verifies(stolen, *keys->verifying_keys()));
    BOOST_REQUIRE(change([&](keys::KeyProvider& provider) {
                      return provider.schedule_destruction(kid, 1, std::chrono::days{7}, {});
                  }).has_value());
    BOOST_TEST(!verifies(stolen, *keys->verifying_keys()));
    BOOST_TEST(verifies(token(), *keys->verifying_keys()));
}

BOOST_AUTO_TEST_CASE(no_token_lies_about_its_key_while_it_is_rotated) {
    std::atomic<bool> stop{false};
    std::vector<std::string> tokens;
    std::thread signer([&] {
        while (!stop || tokens.size() < 100) tokens.push_back(token());
    });
    for (int rotations = 0; rotations < 20; ++rotations)
        BOOST_REQUIRE(change([&](keys::KeyProvider& provider) {
                          return provider.rotate(keys->token_kid(), keys::RotateRule::at_once, {});
                      }).has_value());
    stop = true;
    signer.join();
    const auto set = keys->verifying_keys();
    std::set<std::string> kids;
    for (const std::string& one : tokens) {
        BOOST_TEST(verifies(one, *set));
        kids.insert(keys::parse_compact(one)->header.kid);
    }
    BOOST_TEST(kids.size() > 1U);
}

BOOST_AUTO_TEST_CASE(who_lost_the_right_meanwhile_changes_nothing) {
    const auto try_it = [&] {
        return change([&](keys::KeyProvider& provider) {
            return provider.rotate(keys->token_kid(), keys::RotateRule::at_once,
                                   {"somebody", {{"address", "192.0.2.1"}}});
        });
    };
    still_allowed = [](storage::Transaction&, Time) -> Result<> {
        return Error(Code::permission_denied, "no more");
    };
    const auto refused = try_it();
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::permission_denied));
    BOOST_TEST(audited("signing_key.rotated").empty());
    // House-keeping is nobody's wish.
    clock.advance(std::chrono::days{30});
    keys->tick();
    BOOST_TEST(change([&](keys::KeyProvider& provider) {
                   return provider.list_versions(keys->token_kid())->size();
               }) == 3U);

    still_allowed = [](storage::Transaction&, Time) -> Result<> { return {}; };
    BOOST_TEST(try_it().has_value());
    const auto rows = audited("signing_key.rotated");
    BOOST_REQUIRE(rows.size() == 2U);
    const auto& own = rows[0].event.actor == "somebody" ? rows[0] : rows[1];
    BOOST_TEST(own.event.actor == "somebody");
    BOOST_TEST(own.event.details.at("address").as_string() == "192.0.2.1");
}

// The days in which a destruction can be cancelled are days, not what a clock shows for a minute.
BOOST_AUTO_TEST_CASE(a_clock_that_goes_astray_destroys_and_rotates_nothing) {
    const std::string kid = keys->token_kid();
    BOOST_REQUIRE(change([&](keys::KeyProvider& provider) {
                      return provider.schedule_destruction(kid, 2, std::chrono::days{7}, {});
                  }).has_value());
    const auto state = [&](std::size_t version) {
        return keys->provider().list_versions(kid)->at(version - 1).state;
    };
    for (const auto jump : {std::chrono::days{700}, std::chrono::days{-700}}) {
        clock.set_wall(clock.now() + jump);
        for (int minute = 0; minute < 3; ++minute) {
            clock.advance(1min);
            tick();
        }
        BOOST_CHECK(state(1) == keys::KeyState::active);
        BOOST_CHECK(state(2) == keys::KeyState::pre_published);
    }
    // It has kept its way since: the seven days are over.
    clock.advance(std::chrono::days{7});
    tick();
    BOOST_CHECK(state(2) == keys::KeyState::destroyed);
}

// A server that started with a wrong clock has written times that lie ahead.
BOOST_AUTO_TEST_CASE(times_that_lie_ahead_hold_nothing_up) {
    const std::string kid = keys->token_kid();
    clock.set_wall(clock.now() + std::chrono::days{700});
    start();  // in which the clock is believed
    const auto state = [&](std::size_t version) {
        return keys->provider().list_versions(kid)->at(version - 1).state;
    };
    BOOST_CHECK(state(2) == keys::KeyState::active);
    clock.set_wall(clock.now() - std::chrono::days{700});
    tick();
    clock.advance(limits::kKeyClockSettles);
    tick();
    BOOST_CHECK(state(3) == keys::KeyState::active);
    BOOST_TEST(keys->provider().list_versions(kid)->at(0).destroy_at.has_value());
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_no_start_of_a_server_that_has_its_keys) {
    auto database = std::make_shared<storage::MemoryDatabase>();
    bool disk_is_full = false;
    storage::MemoryStore full(database, {.before_commit = [&]() -> Result<> {
                                  if (!disk_is_full) return {};
                                  return Error(Code::unavailable, "disk full");
                              }});
    const SigningKeys::Parts there{full, master_key, settings, clock, random, *log};
    disk_is_full = true;
    BOOST_CHECK_THROW(SigningKeys{there}, StartupError);  // there is no key yet
    disk_is_full = false;
    {
        const SigningKeys made{there};
    }
    clock.advance(std::chrono::days{31});  // a rotation is due
    disk_is_full = true;
    SigningKeys again{there};
    BOOST_TEST(verifies(*again.sign("at+jwt", "{}"), *again.verifying_keys()));
}

BOOST_AUTO_TEST_CASE(another_master_key_ends_the_start) {
    keys.reset();
    const keys::MasterKey other = keys::MasterKey::generate(random);
    SigningKeys::Parts wrong{*store, other, settings, clock, random, *log};
    BOOST_CHECK_THROW(SigningKeys{wrong}, StartupError);
    start();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::server::signing
