#pragma once

#include <stdexcept>

// toml++, the only way to include it. It asserts what a malformed text can break ("[;table]" does):
// for us that is one more way of not being TOML, never the end of the process. (In its functions
// that may not throw, it still is.)
namespace rekey {

struct BrokenTomlAssertion : std::runtime_error {
    using std::runtime_error::runtime_error;
};
[[noreturn]] inline void broken_toml_assertion(const char* what) {
    throw BrokenTomlAssertion(what);
}

}  // namespace rekey

// With NDEBUG toml++ would take the same assertions for granted.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr)                                               \
    do {                                                                \
        if (!(expr)) ::rekey::broken_toml_assertion(#expr " is wrong"); \
    } while (false)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
