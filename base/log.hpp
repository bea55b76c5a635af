#pragma once

#include "base/secret.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace rekey {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
enum class LogFormat : std::uint8_t { logfmt, json };

// One named value of a log line. A Secret can be passed and comes out as "[redacted]": the encoder
// decides, not the caller (invariant I12). Views must outlive the call only.
struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, const Secret*> value;

    LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
    LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    LogField(std::string_view n, bool v) : name(n), value(v) {}
    LogField(std::string_view n, double v) : name(n), value(v) {}
    LogField(std::string_view n, const Secret& v) : name(n), value(&v) {}
    template <std::signed_integral T>
    LogField(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view n, T v) : name(n), value(static_cast<std::uint64_t>(v)) {}
};

using LogFields = std::initializer_list<LogField>;

// Structured lines to standard error: time, level, event (a stable dotted name such as
// "rotation.offered"), fields. Each line is written whole and at once, so that another process can
// follow events through a pipe. Safe from any thread; given by reference from the composition root.
class Log {
  public:
    Log(LogLevel level, LogFormat format);
    // For tests and embedding: lines go to `sink` instead.
    Log(LogLevel level, LogFormat format, std::shared_ptr<spdlog::logger> sink);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void debug(std::string_view event, LogFields fields = {}) const;
    void info(std::string_view event, LogFields fields = {}) const;
    void warning(std::string_view event, LogFields fields = {}) const;
    void error(std::string_view event, LogFields fields = {}) const;

    void set_level(LogLevel level);
    [[nodiscard]] bool enabled(LogLevel level) const;

  private:
    void write(LogLevel level, std::string_view event, LogFields fields) const;

    LogFormat format_;
    std::shared_ptr<spdlog::logger> logger_;
};

// A log that writes nothing.
[[nodiscard]] std::unique_ptr<Log> make_silent_log();

// Reads "debug", "info", "warning", "error" or "off"; false, and no change, for anything else.
[[nodiscard]] bool parse_log_level(std::string_view text, LogLevel& level);

}  // namespace rekey
