#include "base/durable_file.hpp"
#include "base/hash.hpp"
#include "keys/master_key.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace rekey::keys {
namespace {

struct Fixture {
    testing::TemporaryDirectory directory;
    std::string path = directory.file("master.key");
    SeededRandom random{1};

    MasterKey load(const MasterKeyExpectation& expectation = {}) {
        return load_or_create_master_key(path, expectation, random);
    }
    // The one line that the start ends with.
    std::string refusal(const MasterKeyExpectation& expectation = {}) {
        try {
            static_cast<void>(load(expectation));
        } catch (const StartupError& error) {
            return error.what();
        }
        return "";
    }
    static MasterKeyExpectation expecting(const MasterKey& key) {
        const Bytes32 value = key.check_value();
        return {true, Bytes(value.begin(), value.end())};
    }
};

bool says(const std::string& line, std::string_view words) {
    return line.find(words) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(master_key_tests, Fixture)

BOOST_AUTO_TEST_CASE(it_is_made_once_and_is_private) {
    const MasterKey made = load();
    struct stat status{};
    BOOST_REQUIRE_EQUAL(::stat(path.c_str(), &status), 0);
    BOOST_TEST((status.st_mode & 0777U) == 0600U);
    const MasterKey again = load(expecting(made));
    BOOST_TEST(made.id() == again.id());
    BOOST_TEST(made.id().size() == 8U);
    BOOST_TEST(to_hex(made.bytes().expose()) == to_hex(again.bytes().expose()));
    BOOST_CHECK(made.check_value() == again.check_value());
}

BOOST_AUTO_TEST_CASE(its_id_and_check_value_are_not_parts_of_it) {
    const MasterKey key = load();
    const std::string hex = to_hex(key.bytes().expose());
    BOOST_TEST(!says(hex, key.id()));
    BOOST_TEST(to_hex(sha256(key.bytes().expose())).substr(0, 8) != key.id());
    BOOST_TEST(to_hex(key.check_value()) != hex);
    BOOST_TEST(to_hex(key.derive("a").expose()) != to_hex(key.derive("b").expose()));
    SeededRandom other_seed(2);
    const MasterKey other = MasterKey::generate(other_seed);
    BOOST_TEST(other.id() != key.id());
}

BOOST_AUTO_TEST_CASE(it_is_never_made_anew) {
    const MasterKey key = load();
    ::unlink(path.c_str());
    BOOST_TEST(says(refusal({true, {}}), path + " is missing"));
    BOOST_TEST(says(refusal({false, expecting(key).check_value}), path + " is missing"));
    BOOST_TEST(::access(path.c_str(), F_OK) != 0);
    BOOST_TEST(refusal() == "");
}

BOOST_AUTO_TEST_CASE(another_databases_key_is_refused) {
    const MasterKeyExpectation expectation = expecting(load());
    ::unlink(path.c_str());
    const MasterKey other = load();
    const std::string line = refusal(expectation);
    BOOST_TEST(says(line, "is not the one that this database was sealed with"));
    BOOST_TEST(says(line, other.id()));
    BOOST_TEST(!says(line, to_base64url(other.bytes().expose())));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_is_refused) {
    load();
    BOOST_REQUIRE_EQUAL(::chmod(path.c_str(), 0640), 0);
    BOOST_TEST(says(refusal(), "chmod 600 " + path));
    BOOST_REQUIRE_EQUAL(::chmod(path.c_str(), 0400), 0);
    BOOST_TEST(refusal() == "");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_key_is_refused_and_stays) {
    const std::string good = [&] {
        load();
        return *read_file(path, 256);
    }();
    for (const std::string& content :
         {std::string(), std::string("hello\n"), good.substr(0, good.size() - 3), good + "x",
          "rekey-master-key-v2" + good.substr(19), std::string(1000, 'a')}) {
        BOOST_REQUIRE(!write_durably(path, content));
        BOOST_TEST(says(refusal(), path + " is not a master key"));
        BOOST_TEST(*read_file(path, 2000) == content);
    }
    BOOST_REQUIRE(!write_durably(path, good));
    BOOST_TEST(refusal() == "");
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_written_is_named) {
    path = directory.file("missing") + "/master.key";
    BOOST_TEST(says(refusal(), path));
}

BOOST_AUTO_TEST_CASE(a_moved_key_is_wiped) {
    KeyBytes bytes;
    bytes.fill_here().fill(7);
    const KeyBytes moved = std::move(bytes);
    BOOST_TEST(moved.expose()[0] == 7);
    BOOST_TEST(bytes.expose()[0] == 0);  // NOLINT(bugprone-use-after-move): that it is wiped
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
