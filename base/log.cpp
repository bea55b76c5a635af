#include "base/log.hpp"

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/time_format.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace rekey {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warning", "error", "off"};

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::off:
            break;
    }
    return spdlog::level::off;
}

// A peer's header may hold any bytes; a line is UTF-8 all the same.
std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string(repair_utf8(text)));
}

bool needs_quotes(std::string_view text) {
    return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte <= ' ' || byte >= 0x7f || c == '=' || c == '"' || c == '\\';
           });
}

struct FieldText {
    LogFormat format;
    std::string operator()(std::string_view text) const {
        return format == LogFormat::json || needs_quotes(text) ? quoted(text) : std::string(text);
    }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(std::uint64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const {
        // JSON knows no infinity and no NaN.
        return std::isfinite(number) ? fmt::format("{:.3f}", number)
                                     : (*this)(std::string_view("not a number"));
    }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(const Secret* /*hidden*/) const {
        return format == LogFormat::json ? "\"[redacted]\"" : "[redacted]";
    }
};

void append(std::string& line, LogFormat format, std::string_view name, const std::string& value) {
    if (format == LogFormat::json) {
        line += line.empty() ? "{" : ",";
        line += quoted(name) + ":" + value;
    } else {
        if (!line.empty()) line += ' ';
        line.append(name).append("=").append(value);
    }
}

}  // namespace

Log::Log(LogLevel level, LogFormat format)
    : Log(level, format,
          std::make_shared<spdlog::logger>("rekey",
                                           std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

Log::Log(LogLevel level, LogFormat format, std::shared_ptr<spdlog::logger> sink)
    : format_(format), logger_(std::move(sink)) {
    logger_->set_pattern("%v");
    logger_->set_level(to_spdlog(level));
    logger_->flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::debug(std::string_view event, LogFields fields) const {
    write(LogLevel::debug, event, fields);
}
void Log::info(std::string_view event, LogFields fields) const {
    write(LogLevel::info, event, fields);
}
void Log::warning(std::string_view event, LogFields fields) const {
    write(LogLevel::warning, event, fields);
}
void Log::error(std::string_view event, LogFields fields) const {
    write(LogLevel::error, event, fields);
}

void Log::set_level(LogLevel level) { logger_->set_level(to_spdlog(level)); }
bool Log::enabled(LogLevel level) const { return logger_->should_log(to_spdlog(level)); }

void Log::write(LogLevel level, std::string_view event, LogFields fields) const {
    if (!enabled(level)) return;
    const FieldText text{format_};
    std::string line;
    append(line, format_, "time", text(to_rfc3339(SystemClock().now())));
    append(line, format_, "level", text(kLevelNames[static_cast<std::size_t>(level)]));
    append(line, format_, "event", text(event));
    for (const LogField& field : fields)
        append(line, format_, field.name, std::visit(text, field.value));
    if (format_ == LogFormat::json) line += '}';
    logger_->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

std::unique_ptr<Log> make_silent_log() {
    return std::make_unique<Log>(LogLevel::off, LogFormat::logfmt,
                                 std::make_shared<spdlog::logger>(
                                     "silent", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

bool parse_log_level(std::string_view text, LogLevel& level) {
    const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), text);
    if (found == kLevelNames.end()) return false;
    level = static_cast<LogLevel>(found - kLevelNames.begin());
    return true;
}

}  // namespace rekey
