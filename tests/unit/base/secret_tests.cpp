#include "base/secret.hpp"

#include <boost/test/unit_test.hpp>

#include <concepts>
#include <cstring>
#include <new>
#include <ostream>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace rekey;

namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Secret>);
static_assert(!std::convertible_to<Secret, std::string>);
static_assert(!std::convertible_to<Secret, std::string_view>);
static_assert(!std::convertible_to<std::string, Secret>);

const std::string kShort = "short";  // inside the string object
const std::string kLong(100, 's');   // on the heap

}  // namespace

BOOST_AUTO_TEST_SUITE(secret_tests)

BOOST_AUTO_TEST_CASE(copies_hold_the_same_and_live_alone) {
    for (const std::string& text : {kShort, kLong}) {
        Secret original(text);
        Secret copy(original);
        Secret assigned;
        assigned = original;
        original.wipe();
        BOOST_TEST(original.empty());
        BOOST_TEST(copy.expose() == text);
        BOOST_TEST(assigned.expose() == text);
        BOOST_TEST(copy.size() == text.size());
    }
}

BOOST_AUTO_TEST_CASE(moves_empty_and_wipe_their_source) {
    for (const std::string& text : {kShort, kLong}) {
        Secret source(text);
        // Where a small string keeps its bytes.
        const char* bytes = source.expose().data();
        const bool inside = text.size() < 16;
        Secret target(std::move(source));
        BOOST_TEST(target.expose() == text);
        BOOST_TEST(source.empty());  // NOLINT: that is what is tested
        if (inside) BOOST_TEST(std::memcmp(bytes, text.data(), text.size()) != 0);
        Secret assigned("other");
        assigned = std::move(target);
        BOOST_TEST(assigned.expose() == text);
        BOOST_TEST(target.empty());  // NOLINT: that is what is tested
    }
}

BOOST_AUTO_TEST_CASE(assignment_to_itself_changes_nothing) {
    Secret secret(kLong);
    Secret& same = secret;
    secret = same;
    BOOST_TEST(secret.expose() == kLong);
    secret = std::move(same);
    BOOST_TEST(secret.expose() == kLong);
}

BOOST_AUTO_TEST_CASE(equality_is_by_content) {
    BOOST_TEST((Secret("abc") == Secret("abc")));
    BOOST_TEST((Secret("abc") != Secret("abd")));
    BOOST_TEST((Secret("abc") != Secret("abcd")));
    BOOST_TEST((Secret() == Secret("")));  // NOLINT(readability-container-size-empty)
}

BOOST_AUTO_TEST_CASE(a_dying_secret_leaves_nothing_in_its_memory) {
    alignas(Secret) unsigned char storage[sizeof(Secret)];
    auto* secret = new (storage) Secret(kShort);
    const volatile unsigned char* bytes = storage;
    const auto found = [&] {
        std::string seen;
        for (std::size_t i = 0; i < sizeof storage; ++i)
            seen.push_back(static_cast<char>(bytes[i]));
        return seen.find(kShort) != std::string::npos;
    };
    BOOST_TEST(found());
    secret->~Secret();
    BOOST_TEST(!found());
}

BOOST_AUTO_TEST_CASE(wiping_a_string_covers_its_whole_capacity) {
    std::string text = kLong;
    text.resize(10);
    const char* bytes = text.data();
    wipe_string(text);
    BOOST_TEST(text.empty());
    BOOST_REQUIRE(text.data() == bytes);
    for (std::size_t i = 1; i < kLong.size(); ++i) BOOST_TEST(bytes[i] == '\0');
    char buffer[] = "bytes";
    wipe_memory(buffer, sizeof buffer);
    for (const char c : buffer) BOOST_TEST(c == '\0');
}

BOOST_AUTO_TEST_CASE(core_dumps_can_be_forbidden) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        forbid_core_dumps();
        rlimit core{1, 1};
        ::getrlimit(RLIMIT_CORE, &core);
        const bool forbidden =
            core.rlim_cur == 0 && core.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        ::_exit(forbidden ? 0 : 1);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

BOOST_AUTO_TEST_SUITE_END()
