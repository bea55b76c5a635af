#include "base/hash.hpp"
#include "protocol/token.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace rekey;
using namespace rekey::protocol;

namespace {

constexpr std::string_view kId = "01890a5d-ac96-774b-bcce-b302099a8057";

// All bytes the same.
class Constant final : public Random {
  public:
    explicit Constant(std::uint8_t byte) : byte_(byte) {}
    void fill(std::span<std::uint8_t> bytes) override {
        for (auto& b : bytes) b = byte_;
    }

  private:
    std::uint8_t byte_;
};

std::string minted(TokenKind kind, Random& random) {
    return std::string(mint_token(kind, kId, random).expose());
}

// The checksum as the contract words it, written a second time.
std::string with_checksum(const std::string& text) {
    constexpr std::string_view kDigits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::uint32_t crc = crc32(text);
    std::string digits(6, '0');
    for (std::size_t i = 6; i-- > 0; crc /= 62) digits[i] = kDigits[crc % 62];
    return text + digits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(token_tests)

BOOST_AUTO_TEST_CASE(a_token_says_its_kind_and_id) {
    SeededRandom random(1);
    const std::pair<TokenKind, std::string_view> kinds[] = {{TokenKind::agent, "rka_"},
                                                            {TokenKind::api_key, "rkk_"},
                                                            {TokenKind::enrollment_code, "rke_"}};
    for (const auto& [kind, prefix] : kinds) {
        const std::string text = minted(kind, random);
        BOOST_TEST(text.starts_with(prefix));
        BOOST_TEST(text.size() == 4 + kId.size() + 1 + 43 + 6);
        const auto parsed = parse_token(text);
        BOOST_REQUIRE(parsed.has_value());
        BOOST_TEST((parsed->kind == kind));
        BOOST_TEST(parsed->id == kId);
        BOOST_TEST(parsed->id.data() == text.data() + 4);
    }
}

BOOST_AUTO_TEST_CASE(the_form_is_the_contracts_digit_by_digit) {
    Constant zeros(0);
    BOOST_TEST(std::string(mint_token(TokenKind::agent, "a-1", zeros).expose()) ==
               with_checksum("rka_a-1_" + std::string(43, '0')));
    Constant ones(0xff);
    const std::string top(mint_token(TokenKind::agent, "a-1", ones).expose());
    // 2^256 - 1 in base 62, from an independent calculation.
    BOOST_TEST(top.substr(8, 43) == "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
}

BOOST_AUTO_TEST_CASE(two_tokens_differ) {
    SystemRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(minted(TokenKind::agent, random));
    BOOST_TEST(seen.size() == 100U);
}

BOOST_AUTO_TEST_CASE(every_typing_error_of_one_character_is_caught) {
    SeededRandom random(7);
    const std::string text = minted(TokenKind::agent, random);
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int c = 0; c < 256; ++c) {
            std::string typo = text;
            typo[i] = static_cast<char>(c);
            if (typo != text) BOOST_REQUIRE_MESSAGE(!parse_token(typo), i << ' ' << c);
        }
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string shorter = text;
        shorter.erase(i, 1);
        BOOST_REQUIRE(!parse_token(shorter));
        std::string longer = text;
        longer.insert(i, 1, 'a');
        BOOST_REQUIRE(!parse_token(longer));
        std::string swapped = text;
        if (i > 0) std::swap(swapped[i - 1], swapped[i]);
        if (swapped != text) BOOST_REQUIRE(!parse_token(swapped));
    }
}

BOOST_AUTO_TEST_CASE(other_forms_are_refused_even_with_a_right_checksum) {
    const std::string secret(43, 'A');
    BOOST_TEST(parse_token(with_checksum("rka_x_" + secret)).has_value());
    for (const std::string& text :
         {std::string(), std::string("rka_"), std::string("rka__"), secret,
          with_checksum("rka__" + secret), with_checksum("rkx_x_" + secret),
          with_checksum("RKA_x_" + secret), with_checksum("rka_x-" + secret),
          with_checksum("rka_a b_" + secret), with_checksum("rka_a_b_" + secret),
          with_checksum("rka_a/b_" + secret), with_checksum("rka_x_" + secret.substr(1)),
          with_checksum("rka_x_-" + secret.substr(1)),
          with_checksum("rka_" + std::string(65, 'x') + "_" + secret),
          with_checksum("rka_x_" + secret) + "\n", " " + with_checksum("rka_x_" + secret)})
        BOOST_TEST(!parse_token(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(the_hash_is_over_the_whole_text) {
    SeededRandom random(3);
    const Secret token = mint_token(TokenKind::agent, kId, random);
    BOOST_TEST((token_hash(token) == sha256(token.expose())));
    BOOST_TEST((token_hash(token.expose()) == token_hash(token)));
}

BOOST_AUTO_TEST_SUITE_END()
