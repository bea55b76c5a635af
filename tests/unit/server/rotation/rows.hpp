#pragma once

#include "server/rotation/transitions.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

// Rows for the tests of the server's transitions: generation n has the rotation_id "r<n>" and a
// hash that begins with n.
namespace rekey::server::rotation {

inline constexpr Time kNow{std::chrono::days{20000}};

inline std::string rotation(std::uint64_t generation) { return "r" + std::to_string(generation); }

inline Bytes32 hash_of(std::uint64_t generation) {
    Bytes32 hash{};
    hash[0] = static_cast<std::uint8_t>(generation);
    hash[31] = 0x5a;
    return hash;
}

inline Policy policy() {
    return {.token_life = std::chrono::days{10},
            .grace = std::chrono::minutes{5},
            .rotate_at_fraction_min = 0.7,
            .rotate_at_fraction_max = 0.9,
            .backoff_unit = std::chrono::seconds{60}};
}

inline Minted minted(std::uint64_t generation) {
    return {generation, rotation(generation), hash_of(generation), Bytes{1, 2, 3}};
}

inline Completion proven(std::uint64_t generation) {
    return {generation, rotation(generation), ProofCheck::valid};
}

// Active, on generation 1, activated, nothing else.
inline Credentials settled() {
    Credentials row;
    row.next_generation = 2;
    row.activated_generation = 1;
    row.rotate_at = kNow + std::chrono::days{8};
    row.current =
        storage::CurrentToken{1, rotation(1), hash_of(1), kNow, kNow + std::chrono::days{10}};
    return row;
}

// Generation 2 is pending.
inline Credentials offered() { return begin(settled(), minted(2), kNow).after; }

// Generation 2 is current and 1 previous, neither activated.
inline Credentials promoted() {
    return complete(offered(), proven(2), policy(), 0.5, kNow).transition.after;
}

// ... and activated: the grace of 1 runs until kNow + 5 min.
inline Credentials in_grace() { return activate(promoted(), 2, "r2", policy(), kNow).after; }

inline void check_unchanged(const Transition& transition, const Credentials& before) {
    BOOST_TEST(!transition.changed());
    BOOST_TEST((transition.after == before));
    BOOST_TEST(transition.retired.empty());
    BOOST_TEST((transition.sessions == SessionsAfter::keep));
    BOOST_TEST(transition.ended_rotation_id.empty());
}

template <class T>
void check_error(const Result<T>& result, Code code) {
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((result.error().code() == code));
}

inline std::string detail(const Error& error, std::string_view name) {
    const boost::json::object* details = error.details();
    const boost::json::value* value =
        details ? details->if_contains(boost::json::string_view(name.data(), name.size()))
                : nullptr;
    return value && value->is_string() ? std::string(value->as_string().c_str()) : std::string();
}

}  // namespace rekey::server::rotation
