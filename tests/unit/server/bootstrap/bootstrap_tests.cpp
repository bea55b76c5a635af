#include "base/durable_file.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"
#include "net/certificates.hpp"
#include "server/bootstrap/admin_identity.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/data_directory.hpp"
#include "server/bootstrap/master_key.hpp"
#include "server/bootstrap/server_certificate.hpp"
#include "server/rpc/caller.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/server/support/world.hpp"

#include <sys/stat.h>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::ManualClock;

namespace {

struct Fixture {
    rekey::testing::TemporaryDirectory folder;
    ManualClock clock;
    SeededRandom random{7};
    std::unique_ptr<Log> log = make_silent_log();
    std::shared_ptr<storage::MemoryDatabase> database = std::make_shared<storage::MemoryDatabase>();
    bool disk_is_full = false;
    storage::MemoryStore store{database, {.before_commit = [this]() -> Result<> {
                                   if (!disk_is_full) return {};
                                   return Error(Code::unavailable, "disk full");
                               }}};
    keys::MasterKey master_key = keys::MasterKey::generate(random);
    std::string key_file = folder.file("admin.key");

    bootstrap::AdminParts admin_parts() { return {store, clock, random, *log, key_file}; }
    std::string key_text() {
        auto content = read_file(key_file, 1024).value();
        BOOST_REQUIRE(content.back() == '\n');
        content.pop_back();
        return content;
    }
    Result<rpc::Caller> authenticate(const std::string& key) {
        return bootstrap::read_now<rpc::Caller>(store, [&](storage::Transaction& transaction) {
            return rpc::authenticate(transaction, key, clock.now());
        });
    }

    std::unique_ptr<bootstrap::ServerCertificate> certificate(const std::string& host) {
        return bootstrap::open_own_certificate(
            {store, master_key, clock, random, *log, folder.file("ca.pem"), host});
    }
    std::string stored(const char* name) {
        const auto& bytes = database->meta.at(name);
        return {bytes.begin(), bytes.end()};
    }
    net::CertificateFacts leaf() {
        return net::read_certificate(stored("server_certificate")).value();
    }
    std::string startup_error(const std::function<void()>& start) {
        try {
            start();
        } catch (const StartupError& error) {
            return error.what();
        }
        return {};
    }
};

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bootstrap_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_first_start_makes_one_admin_and_a_second_start_keeps_it) {
    bootstrap::ensure_admin_identity(admin_parts());
    const auto key = key_text();
    const auto admin = authenticate(key);
    BOOST_REQUIRE(admin.has_value());
    BOOST_TEST(admin->may("anything:at-all"));
    BOOST_TEST(database->agents.at(admin->agent_id).type == "admin");
    bootstrap::ensure_admin_identity(admin_parts());
    BOOST_TEST(key_text() == key);
    BOOST_TEST(database->agents.size() == 1U);
    struct stat facts{};
    BOOST_REQUIRE(::stat(key_file.c_str(), &facts) == 0);
    BOOST_TEST((facts.st_mode & 0777U) == 0600U);
}

// Durable before its hash is committed: a crash in between leaves a key that opens nothing, and the
// next start makes another.
BOOST_AUTO_TEST_CASE(a_start_that_ends_between_key_file_and_commit_is_made_good) {
    disk_is_full = true;
    BOOST_CHECK_THROW(bootstrap::ensure_admin_identity(admin_parts()), ErrorException);
    const auto lost = key_text();
    BOOST_TEST(database->agents.empty());
    disk_is_full = false;
    bootstrap::ensure_admin_identity(admin_parts());
    BOOST_TEST(key_text() != lost);
    BOOST_TEST(authenticate(key_text()).has_value());
    BOOST_TEST(authenticate(lost).has_error());
}

BOOST_AUTO_TEST_CASE(a_key_file_that_others_can_read_ends_the_start_and_a_missing_one_does_not) {
    bootstrap::ensure_admin_identity(admin_parts());
    BOOST_REQUIRE(::chmod(key_file.c_str(), 0644) == 0);
    const auto message = startup_error([&] { bootstrap::ensure_admin_identity(admin_parts()); });
    BOOST_TEST(mentions(message, "chmod 600 " + key_file));
    BOOST_REQUIRE(::unlink(key_file.c_str()) == 0);
    BOOST_TEST(startup_error([&] { bootstrap::ensure_admin_identity(admin_parts()); }).empty());
}

BOOST_AUTO_TEST_CASE(a_reset_ends_the_old_key_and_brings_the_admin_back) {
    bootstrap::ensure_admin_identity(admin_parts());
    const auto old_key = key_text();
    const auto admin_id = authenticate(old_key)->agent_id;
    database->agents.at(admin_id).credentials.status = storage::AgentStatus::suspended;
    bootstrap::reset_admin_key(admin_parts());
    BOOST_TEST((authenticate(old_key).error().code() == Code::unknown_credential));
    const auto admin = authenticate(key_text());
    BOOST_REQUIRE(admin.has_value());
    BOOST_TEST(admin->agent_id == admin_id);
    // Revoked is for good: another identity takes its place.
    database->agents.at(admin_id).credentials.status = storage::AgentStatus::revoked;
    bootstrap::reset_admin_key(admin_parts());
    const auto second = authenticate(key_text());
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->agent_id != admin_id);
    BOOST_TEST(second->may("admin:*"));
}

// Another admin deleted it, and its name may be another's by now.
BOOST_AUTO_TEST_CASE(a_deleted_admin_is_not_made_again_and_keeps_nothing_from_starting) {
    bootstrap::ensure_admin_identity(admin_parts());
    const auto old_key = key_text();
    const auto admin_id = authenticate(old_key)->agent_id;
    const auto retaken =
        bootstrap::write_now<bool>(store, [&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.agents().remove(admin_id));
            storage::AgentRow other;
            other.agent_id = make_uuid_v7(clock, random);
            other.name = "admin";
            REKEY_TRY(transaction.agents().insert(other));
            return true;
        });
    BOOST_REQUIRE(retaken.has_value());
    bootstrap::ensure_admin_identity(admin_parts());
    BOOST_TEST(database->agents.size() == 1U);
    BOOST_TEST(key_text() == old_key);
    bootstrap::reset_admin_key(admin_parts());
    const auto second = authenticate(key_text());
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->may("admin:*"));
}

BOOST_AUTO_TEST_CASE(the_certificate_is_renewed_at_two_thirds_of_its_life_in_the_running_process) {
    const auto served = certificate("rekey.example.com");
    const auto pin = served->tls()->pin();
    BOOST_TEST(served->trust_anchor_pem() == stored("ca_certificate"));
    BOOST_TEST(read_file(folder.file("ca.pem"), 65536).value() == served->trust_anchor_pem());
    const auto first = leaf();
    BOOST_TEST(net::names_host(first, "rekey.example.com"));
    BOOST_TEST(net::names_host(first, "127.0.0.1"));
    clock.advance(std::chrono::days{59});
    served->check();
    BOOST_TEST((leaf().not_after == first.not_after));
    clock.advance(std::chrono::days{2});
    served->check();
    BOOST_TEST((leaf().not_after > first.not_after));
    BOOST_TEST(served->tls()->pin() == pin);
    // Years later it is renewed all the same, and again the next time.
    clock.advance(std::chrono::days{900});
    served->check();
    BOOST_TEST((leaf().not_after > clock.now()));
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_the_certificate_unless_another_name_is_advertised) {
    const auto pin = certificate("one.example.com")->tls()->pin();
    const auto first = stored("server_certificate");
    BOOST_TEST(certificate("one.example.com")->tls()->pin() == pin);
    BOOST_TEST(stored("server_certificate") == first);
    BOOST_TEST(certificate("two.example.com")->tls()->pin() == pin);
    BOOST_TEST(stored("server_certificate") != first);
    BOOST_TEST(net::names_host(leaf(), "two.example.com"));
}

BOOST_AUTO_TEST_CASE(private_keys_are_sealed_and_another_master_key_opens_none) {
    static_cast<void>(certificate("one.example.com"));
    for (const auto& [name, bytes] : database->meta) {
        const std::string text(bytes.begin(), bytes.end());
        BOOST_TEST(!mentions(text, "PRIVATE KEY"), name);
    }
    const auto other = keys::MasterKey::generate(random);
    BOOST_CHECK_THROW(
        static_cast<void>(bootstrap::open_own_certificate(
            {store, other, clock, random, *log, folder.file("ca.pem"), "one.example.com"})),
        ErrorException);
}

BOOST_AUTO_TEST_CASE(certificate_files_are_read_again) {
    const auto ca = net::make_ca("test", clock, random).value();
    const auto write_files = [&] {
        const auto leaf_of_ca =
            net::issue_certificate(ca, {"a.example.com"}, clock, random).value();
        BOOST_REQUIRE(!write_durably(folder.file("key.pem"), leaf_of_ca.key_pem.expose()));
        BOOST_REQUIRE(!write_durably(folder.file("chain.pem"),
                                     leaf_of_ca.certificate_pem + ca.certificate_pem));
    };
    const auto open = [&] {
        return bootstrap::open_certificate_files(folder.file("chain.pem"), folder.file("key.pem"),
                                                 clock, random, *log);
    };
    BOOST_TEST(mentions(startup_error([&] { static_cast<void>(open()); }), "key.pem"));
    write_files();
    const auto served = open();
    BOOST_TEST(served->trust_anchor_pem() == ca.certificate_pem);
    write_files();
    served->check();
    // Half a renewal: what is served stays.
    BOOST_REQUIRE(!write_durably(folder.file("chain.pem"), "nonsense"));
    served->check();
    BOOST_TEST(served->tls()->pin() == net::read_certificate(ca.certificate_pem)->pin);
    BOOST_REQUIRE(::chmod(folder.file("key.pem").c_str(), 0644) == 0);
    BOOST_TEST(mentions(startup_error([&] { static_cast<void>(open()); }), "chmod 600"));
}

BOOST_AUTO_TEST_CASE(the_master_key_belongs_to_its_database) {
    const auto path = folder.file("master.key");
    const auto id = bootstrap::open_master_key(path, store, random).id();
    BOOST_TEST(bootstrap::open_master_key(path, store, random).id() == id);
    BOOST_REQUIRE(::unlink(path.c_str()) == 0);
    BOOST_CHECK_THROW(static_cast<void>(bootstrap::open_master_key(path, store, random)),
                      StartupError);
}

BOOST_AUTO_TEST_CASE(the_data_directory_is_private_and_held_by_one) {
    const auto path = folder.file("data");
    {
        const auto held = bootstrap::DataDirectory::open(path);
        struct stat facts{};
        BOOST_REQUIRE(::stat(path.c_str(), &facts) == 0);
        BOOST_TEST((facts.st_mode & 0777U) == 0700U);
        const auto message =
            startup_error([&] { static_cast<void>(bootstrap::DataDirectory::open(path)); });
        BOOST_TEST(mentions(message, "another rekeyd"));
    }
    // Made by hand for a first start it is closed; with a database in it somebody meant it.
    BOOST_REQUIRE(::chmod(path.c_str(), 0755) == 0);
    static_cast<void>(bootstrap::DataDirectory::open(path));
    BOOST_REQUIRE(!write_durably(path + "/rekey.db", "x"));
    BOOST_REQUIRE(::chmod(path.c_str(), 0755) == 0);
    const auto message =
        startup_error([&] { static_cast<void>(bootstrap::DataDirectory::open(path)); });
    BOOST_TEST(mentions(message, "chmod 700 " + path));
    BOOST_REQUIRE(!write_durably(folder.file("a-file"), "x"));
    BOOST_TEST(!startup_error([&] {
                    static_cast<void>(bootstrap::DataDirectory::open(folder.file("a-file")));
                }).empty());
}

BOOST_AUTO_TEST_SUITE_END()
