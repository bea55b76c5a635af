#include "cli/audit_file.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rekey::cli {
namespace {

template <class T>
struct Name;
template <>
struct Name<AuditHeader> {
    static constexpr std::string_view value = "header";
};
template <>
struct Name<protocol::AuditExportCheckpoint> {
    static constexpr std::string_view value = "checkpoint";
};
template <>
struct Name<protocol::AuditExportRow> {
    static constexpr std::string_view value = "row";
};
template <>
struct Name<AuditEnd> {
    static constexpr std::string_view value = "end";
};

template <class T>
std::optional<Result<AuditLine>> read_as(const boost::json::object& object) {
    if (object.begin()->key() != Name<T>::value) return std::nullopt;
    auto value = protocol::decode<T>(&object.begin()->value(), protocol::UnknownFields::ignore);
    if (value.has_error()) return Result<AuditLine>(std::move(value).error());
    return Result<AuditLine>(AuditLine(std::move(*value)));
}

}  // namespace

std::string to_line(const AuditLine& line) {
    return std::visit(
        []<class T>(const T& value) {
            return "{\"" + std::string(Name<T>::value) + "\":" + protocol::encode(value) + "}\n";
        },
        line);
}

Result<AuditLine> parse_line(std::string_view text) {
    REKEY_TRY_ASSIGN(value, protocol::parse_json(text));
    if (value.is_object() && value.get_object().size() == 1) {
        const boost::json::object& object = value.get_object();
        if (auto read = read_as<protocol::AuditExportRow>(object)) return *std::move(read);
        if (auto read = read_as<protocol::AuditExportCheckpoint>(object)) return *std::move(read);
        if (auto read = read_as<AuditHeader>(object)) return *std::move(read);
        if (auto read = read_as<AuditEnd>(object)) return *std::move(read);
    }
    return Error(Code::parse_error, "no line of an export");
}

std::optional<protocol::ChainHead> parse_head(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    protocol::ChainHead head;
    const char* const begin = text.data();
    const char* const end = begin + colon;
    const auto [stop, problem] = std::from_chars(begin, end, head.seq);
    const auto hash = from_hex(text.substr(colon + 1));
    if (colon == 0 || problem != std::errc() || stop != end || !hash ||
        hash->size() != head.hash.size())
        return std::nullopt;
    std::copy(hash->begin(), hash->end(), head.hash.begin());
    return head;
}

std::string head_text(const protocol::ChainHead& head) {
    return std::to_string(head.seq) + ":" + to_hex(head.hash);
}

}  // namespace rekey::cli
