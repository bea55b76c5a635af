#include "agent/detect/config_text.hpp"
#include "base/limits.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace rekey::agent::detect {
namespace {

namespace json = boost::json;

struct TooMuch : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Far more than a person writes, and far less than what a file of the largest size can hold.
constexpr std::size_t kNodes = 200'000;

// Makes JSON of the parser's events. Of the library's own tree nothing is used: there an alias is
// another way to the same node, and walking that tree may never end.
class Builder final : public YAML::EventHandler {
  public:
    [[nodiscard]] json::value take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override { put(nullptr, std::nullopt); }
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override { put(nullptr, std::nullopt); }
    void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t,
                  const std::string& text) override {
        const bool is_plain = tag == "?";
        if (is_plain && (text == "true" || text == "True" || text == "TRUE"))
            put(true, text);
        else if (is_plain && (text == "false" || text == "False" || text == "FALSE"))
            put(false, text);
        else
            put(json::value(text), text);
    }
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(json::array());
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(json::object());
    }
    void OnMapEnd() override { close(); }

  private:
    // A list or map that is not complete.
    struct Level {
        json::value value;
        enum class Next : std::uint8_t { key, value } next = Next::key;
        std::optional<std::string> key;  // none: one that is no text, whose value is left out
    };

    // Called before the parser goes a level deeper, so that its own recursion ends here as well.
    void open(json::value empty) {
        if (levels_.size() >= limits::kJsonDepth) throw TooMuch("nested too deep");
        levels_.push_back({std::move(empty), Level::Next::key, std::nullopt});
    }
    void close() {
        json::value done = std::move(levels_.back().value);
        levels_.pop_back();
        put(std::move(done), std::nullopt);
    }

    void put(json::value value, std::optional<std::string> as_key) {
        if (++nodes_ > kNodes) throw TooMuch("more in it than is read");
        if (levels_.empty()) {
            root_ = std::move(value);
            return;
        }
        Level& level = levels_.back();
        if (auto* list = level.value.if_array()) {
            list->push_back(std::move(value));
        } else if (level.next == Level::Next::key) {
            level.key = std::move(as_key);
            level.next = Level::Next::value;
        } else {
            if (level.key) level.value.get_object()[*level.key] = std::move(value);
            level.next = Level::Next::key;
        }
    }

    json::value root_;
    std::vector<Level> levels_;
    std::size_t nodes_ = 0;
};

}  // namespace

Result<json::object> parse_yaml_config(std::string_view text) {
    Builder builder;
    try {
        std::istringstream input{std::string(text)};
        YAML::Parser(input).HandleNextDocument(builder);
    } catch (const TooMuch& why) {
        return Error(Code::parse_error, std::string("is no YAML (") + why.what() + ")");
    } catch (const YAML::Exception& problem) {
        // Its message may have a word of the file in it.
        return Error(Code::parse_error,
                     "is no YAML (line " + std::to_string(problem.mark.line + 1) + ")");
    } catch (const std::exception&) {
        return Error(Code::parse_error, "is no YAML");
    }
    json::value root = builder.take();
    if (root.is_null()) return json::object();
    if (!root.is_object()) return Error(Code::parse_error, "is no YAML map");
    return std::move(root.get_object());
}

}  // namespace rekey::agent::detect
