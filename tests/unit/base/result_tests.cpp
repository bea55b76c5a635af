#include "base/result.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace rekey;

namespace {

Result<int> parse(int number) {
    if (number < 0) return Error(Code::invalid_params, "negative");
    return number;
}

Result<> check(int number) {
    REKEY_TRY(parse(number));
    return {};
}

Result<std::unique_ptr<int>> boxed(int number) {
    REKEY_TRY_ASSIGN(value, parse(number));
    return std::make_unique<int>(value + 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(result_tests)

BOOST_AUTO_TEST_CASE(an_error_is_built_in_one_expression) {
    const Error error = Error(Code::rate_limited, "slow down")
                            .with("limit", 20)
                            .with("limit", 30)
                            .with_retry_after(std::chrono::seconds(5));
    BOOST_TEST((error.code() == Code::rate_limited));
    BOOST_TEST(error.message() == "slow down");
    BOOST_TEST(error.details()->size() == 1U);
    BOOST_TEST(error.details()->at("limit").as_int64() == 30);
    BOOST_TEST(error.retry_after()->count() == 5);
    BOOST_TEST(Error(Code::internal).details() == nullptr);
    BOOST_TEST(!Error(Code::internal).retry_after().has_value());
}

BOOST_AUTO_TEST_CASE(a_copys_details_are_its_own) {
    const Error original = Error(Code::conflict).with("a", 1);
    const Error copy = Error(original).with("b", 2);
    BOOST_TEST(original.details()->size() == 1U);
    BOOST_TEST(copy.details()->size() == 2U);
}

BOOST_AUTO_TEST_CASE(errors_travel_up_and_values_through) {
    BOOST_TEST(check(1).has_value());
    BOOST_TEST(check(-1).error().message() == "negative");
    BOOST_TEST(**boxed(1) == 2);
    BOOST_TEST((boxed(-1).error().code() == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(value_of_an_error_throws_it) {
    BOOST_CHECK_EXCEPTION(static_cast<void>(parse(-1).value()), ErrorException,
                          [](const ErrorException& thrown) {
                              return thrown.error().code() == Code::invalid_params &&
                                     std::string_view(thrown.what()) == "negative";
                          });
    BOOST_TEST(parse(3).value() == 3);
    BOOST_TEST(StartupError("port in use", 69).exit_code() == 69);
}

BOOST_AUTO_TEST_SUITE_END()
