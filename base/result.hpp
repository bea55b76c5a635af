#pragma once

#include "base/code.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rekey {

// An expected failure, as a value. `message` is for people and never holds a secret; `details` is
// for programs (protocol.md names its members). Anything a caller may hit through untrusted input
// or a likely fault of the environment is an Error; a bug of ours is a REKEY_ASSERT instead.
class Error {
  public:
    // Only because boost::system::result::error() of a success returns one; nobody else makes it.
    Error() : code_(Code::internal) {}
    explicit Error(Code code, std::string message = {})
        : code_(code), message_(std::move(message)) {}

    [[nodiscard]] Code code() const { return code_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const boost::json::object* details() const { return details_.get(); }
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }
    // The JSON-RPC error object of somebody else, which is passed on as it came; null for our own.
    [[nodiscard]] const boost::json::object* verbatim() const { return verbatim_.get(); }

    // Adds a member of `details`; returns the error so that it can be built in one expression.
    Error with(std::string_view name, boost::json::value value) &&;
    Error with_retry_after(std::chrono::seconds after) &&;
    Error with_verbatim(boost::json::object error) &&;

  private:
    Code code_;
    std::string message_;
    std::optional<std::chrono::seconds> retry_after_;
    // Shared because an error is copied to everybody who waits for the same commit; never changed
    // once shared.
    std::shared_ptr<boost::json::object> details_;
    std::shared_ptr<const boost::json::object> verbatim_;
};

template <class T = void>
using Result = boost::system::result<T, Error>;

// What `Result::value()` throws; main() prints it in one line.
class ErrorException : public std::runtime_error {
  public:
    explicit ErrorException(Error error)
        : std::runtime_error(error.message()), error_(std::move(error)) {}
    [[nodiscard]] const Error& error() const { return error_; }

  private:
    Error error_;
};

// Found by argument-dependent look-up from boost::system::result.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

// A start-up that cannot go on: the one line that says why and the way out, and the exit code
// (sysexits.h).
class StartupError : public std::runtime_error {
  public:
    explicit StartupError(const std::string& message, int exit_code = 1)
        : std::runtime_error(message), exit_code_(exit_code) {}
    [[nodiscard]] int exit_code() const { return exit_code_; }

  private:
    int exit_code_;
};

}  // namespace rekey

// Returns the error of `expression` from the enclosing function, if it has one.
#define REKEY_TRY(expression)                                       \
    do {                                                            \
        if (auto rekey_try_ = (expression); rekey_try_.has_error()) \
            return std::move(rekey_try_).error();                   \
    } while (false)

// Declares `name` as the value of `expression`, or returns its error.
#define REKEY_TRY_ASSIGN(name, expression)                                    \
    auto name##_result_ = (expression);                                       \
    if (name##_result_.has_error()) return std::move(name##_result_).error(); \
    auto& name = *name##_result_
