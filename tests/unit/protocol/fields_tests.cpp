#include "protocol/fields.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::protocol;

namespace {

struct Inner {
    std::int64_t heartbeat_seconds = 0;
    std::optional<std::string> note;
    static constexpr auto fields() {
        return std::tuple{
            field("heartbeat_seconds", &Inner::heartbeat_seconds, "", Rule{.min = 5, .max = 600}),
            field("note", &Inner::note, "")};
    }
};

struct Everything {
    std::string text;
    std::optional<std::string> name;
    std::optional<std::string> id;
    std::optional<std::string> digest;
    std::optional<std::string> key;
    std::optional<std::string> signature;
    std::optional<bool> flag;
    std::optional<std::uint64_t> generation;
    std::optional<double> fraction;
    std::optional<Time> when;
    std::optional<AgentStatus> status;
    std::optional<Secret> token;
    std::optional<std::vector<std::string>> agents;
    std::optional<std::vector<Inner>> list;
    std::optional<Inner> settings;
    std::map<std::string, std::string> labels;
    std::optional<boost::json::object> metadata;
    std::optional<boost::json::value> anything;
    std::int64_t limit = 100;
    static constexpr auto fields() {
        using E = Everything;
        constexpr Rule kLeftOut{.presence = Presence::defaulted, .max_items = 3};
        return std::tuple{
            field("text", &E::text, "Any text.", Rule{.max_bytes = 8}),
            field("name", &E::name, "", kName),
            field("id", &E::id, "", kUuid),
            field("digest", &E::digest, "", Rule{.form = Form::hex_32_bytes}),
            field("key", &E::key, "", Rule{.form = Form::base64url_32_bytes}),
            field("signature", &E::signature, "", Rule{.form = Form::base64url_64_bytes}),
            field("flag", &E::flag, ""),
            field("generation", &E::generation, "", kGeneration),
            field("fraction", &E::fraction, ""),
            field("when", &E::when, ""),
            field("status", &E::status, ""),
            field("token", &E::token, ""),
            field("agents", &E::agents, "", Rule{.max_items = 3}),
            field("list", &E::list, ""),
            field("settings", &E::settings, ""),
            field("labels", &E::labels, "", kLeftOut),
            field("metadata", &E::metadata, "", Rule{.max_bytes = 32}),
            field("anything", &E::anything, ""),
            field("limit", &E::limit, "Rows.",
                  Rule{.presence = Presence::defaulted, .min = 1, .max = 500})};
    }
};

struct Outer {
    Ok status = Ok::ok;
    Inner inner;
    static constexpr auto fields() {
        return std::tuple_cat(std::tuple{field("status", &Outer::status, "")},
                              inlined(&Outer::inner));
    }
};

struct OneOfTwo {
    std::optional<std::string> left;
    std::optional<std::string> right;
    static constexpr auto fields() {
        return std::tuple{field("left", &OneOfTwo::left, ""), field("right", &OneOfTwo::right, "")};
    }
    [[nodiscard]] std::optional<BadField> check() const {
        if (left.has_value() != right.has_value()) return std::nullopt;
        return BadField{"left", "exactly one of left and right"};
    }
};

struct Holder {
    OneOfTwo choice;
    static constexpr auto fields() { return std::tuple{field("choice", &Holder::choice, "")}; }
};

// Decodes {"text":"x", <members>} and wants it refused at `path`.
void refused(std::string_view members, std::string_view path, std::string_view expected,
             UnknownFields unknown = UnknownFields::refuse) {
    const std::string text = R"({"text":"x",)" + std::string(members) + "}";
    BOOST_TEST_CONTEXT(text) {
        const auto result = decode_text<Everything>(text, unknown);
        BOOST_REQUIRE(result.has_error());
        const Error error = result.error();
        BOOST_TEST((error.code() == Code::invalid_params));
        BOOST_REQUIRE(error.details() != nullptr);
        BOOST_TEST(error.details()->at("path").as_string() == path);
        BOOST_TEST(error.details()->at("expected").as_string() == expected);
        BOOST_TEST(error.message().starts_with(path));
    }
}

Everything accepted(std::string_view members, UnknownFields unknown = UnknownFields::refuse) {
    const std::string text = R"({"text":"x",)" + std::string(members) + "}";
    auto result = decode_text<Everything>(text, unknown);
    BOOST_TEST_CONTEXT(text) { BOOST_REQUIRE(result.has_value()); }
    return *result;
}

const std::string kSomeId = "01890a5d-ac96-774b-bcce-b302099a8057";

}  // namespace

BOOST_AUTO_TEST_SUITE(fields_tests)

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
    Everything all;
    all.text = "caf\xc3\xa9\n";
    all.name = "web-1";
    all.id = kSomeId;
    all.digest = std::string(64, 'a');
    all.key = std::string(43, 'A');
    all.signature = std::string(86, 'A');
    all.flag = true;
    all.generation = limits::kGenerationCeiling - 1;
    all.fraction = 0.7;
    all.when = Time(Milliseconds(1'700'000'000'123));
    all.status = AgentStatus::suspended;
    all.token = Secret("rka_x");
    all.agents = std::vector<std::string>{"a", "b"};
    all.list = std::vector<Inner>{{30, "note"}, {5, std::nullopt}};
    all.settings = Inner{600, std::nullopt};
    all.labels = {{"zone", "a"}, {"env", "prod"}};
    all.metadata = boost::json::object{{"n", 1}};
    all.anything = boost::json::array{1, nullptr};
    all.limit = 7;
    const std::string text = encode(all);
    const auto again = decode_text<Everything>(text, UnknownFields::refuse);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(encode(*again) == text);
    BOOST_TEST(text ==
               R"({"text":"café\n","name":"web-1","id":")" + kSomeId + R"(","digest":")" +
                   std::string(64, 'a') + R"(","key":")" + std::string(43, 'A') +
                   R"(","signature":")" + std::string(86, 'A') +
                   R"(","flag":true,"generation":9007199254740991,"fraction":0.7,)"
                   R"("when":"2023-11-14T22:13:20.123Z","status":"suspended","token":"rka_x",)"
                   R"("agents":["a","b"],"list":[{"heartbeat_seconds":30,"note":"note"},)"
                   R"({"heartbeat_seconds":5}],"settings":{"heartbeat_seconds":600},)"
                   R"("labels":{"env":"prod","zone":"a"},"metadata":{"n":1},"anything":[1,null],)"
                   R"("limit":7})");
}

BOOST_AUTO_TEST_CASE(absent_fields_keep_what_the_struct_says) {
    const auto result = decode_text<Everything>(R"({"text":"x"})", UnknownFields::refuse);
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(result->limit == 100);
    BOOST_TEST(!result->name.has_value());
    BOOST_TEST(encode(*result) == R"({"text":"x","labels":{},"limit":100})");
}

BOOST_AUTO_TEST_CASE(a_missing_field_is_named) {
    const auto result = decode_text<Everything>("{}", UnknownFields::ignore);
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST(result.error().message() == "text is missing: expected string");
    BOOST_TEST(result.error().details()->at("path").as_string() == "text");
    BOOST_TEST(result.error().details()->at("expected").as_string() == "string");
    // Absent params are empty ones.
    BOOST_TEST(decode<Everything>(nullptr, UnknownFields::refuse).error().message() ==
               result.error().message());
}

BOOST_AUTO_TEST_CASE(params_must_be_an_object) {
    for (const std::string_view text : {"[]", "[\"x\"]", "1", "\"x\"", "null", "true"}) {
        const auto result = decode_text<Everything>(text, UnknownFields::ignore);
        BOOST_REQUIRE(result.has_error());
        BOOST_TEST((result.error().code() == Code::invalid_params));
        BOOST_TEST(result.error().details()->at("path").as_string() == "");
        BOOST_TEST(result.error().details()->at("expected").as_string() == "object");
    }
    BOOST_TEST(
        (decode_text<Everything>("{", UnknownFields::ignore).error().code() == Code::parse_error));
}

BOOST_AUTO_TEST_CASE(each_type_refuses_every_other) {
    for (const std::string_view field :
         {"name", "id", "digest", "key", "signature", "token", "when", "status"})
        for (const std::string_view value : {"1", "true", "[]", "{}", "null"})
            refused("\"" + std::string(field) + "\":" + std::string(value), field, "string");
    for (const std::string_view value : {"1", "\"true\"", "null", "[]"})
        refused("\"flag\":" + std::string(value), "flag", "boolean");
    for (const std::string_view value : {"\"1\"", "true", "null", "[]", "{}"}) {
        refused("\"generation\":" + std::string(value), "generation", "integer");
        refused("\"fraction\":" + std::string(value), "fraction", "number");
    }
    for (const std::string_view value : {"{}", "\"a\"", "1", "null"})
        refused("\"agents\":" + std::string(value), "agents", "array");
    for (const std::string_view value : {"[]", "\"a\"", "1", "null"})
        for (const std::string_view field : {"settings", "labels", "metadata"})
            refused("\"" + std::string(field) + "\":" + std::string(value), field, "object");
}

BOOST_AUTO_TEST_CASE(the_path_leads_to_the_bad_field) {
    refused(R"("agents":["a",1])", "agents[1]", "string");
    refused(R"("list":[{"heartbeat_seconds":30},{"heartbeat_seconds":"30"}])",
            "list[1].heartbeat_seconds", "integer");
    refused(R"("list":[{}])", "list[0].heartbeat_seconds", "integer");
    refused(R"("settings":{"heartbeat_seconds":4})", "settings.heartbeat_seconds",
            "integer from 5 to 600");
    refused(R"("labels":{"zone":1})", "labels.zone", "string");
    refused(R"("list":[1])", "list[0]", "object");
    refused(R"("settings":{"heartbeat_seconds":30,"extra":1})", "settings.extra",
            "one of heartbeat_seconds, note");
}

BOOST_AUTO_TEST_CASE(integers_have_a_range_and_no_fraction) {
    const std::string range = "integer from 1 to 9007199254740991";
    for (const std::string_view value :
         {"0", "-1", "1.5", "9007199254740992", "9007199254740992.0", "18446744073709551615",
          "-9223372036854775808", "1e300", "123456789012345678901234567890"})
        refused("\"generation\":" + std::string(value), "generation", range);
    // JSON has one type of number: 1.0 and 1e2 are integers.
    BOOST_TEST(*accepted(R"("generation":1.0)").generation == 1U);
    BOOST_TEST(*accepted(R"("generation":1e2)").generation == 100U);
    BOOST_TEST(*accepted(R"("generation":9007199254740991)").generation == 9007199254740991U);
    for (const std::string_view value : {"0", "501", "-0.5"})
        refused("\"limit\":" + std::string(value), "limit", "integer from 1 to 500");
}

BOOST_AUTO_TEST_CASE(forms_are_checked) {
    for (const std::string_view name : {"", "A", "a b", "a/b", "\xc3\xa9"})
        refused("\"name\":\"" + std::string(name) + "\"", "name",
                "string matching [a-z0-9._-]{1,64}");
    accepted("\"name\":\"" + std::string(64, 'a') + "\"");
    refused("\"name\":\"" + std::string(65, 'a') + "\"", "name",
            "string matching [a-z0-9._-]{1,64}");
    refused(R"("id":"01890A5D-AC96-774B-BCCE-B302099A8057")", "id", "UUID in lower case");
    refused(R"("id":"01890a5dac96774bbcceb302099a8057")", "id", "UUID in lower case");
    for (const std::string& digest :
         {std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g')})
        refused("\"digest\":\"" + digest + "\"", "digest", "64 lower-case hexadecimal digits");
    for (const std::string& key : {std::string(42, 'A'), std::string(44, 'A'),
                                   std::string(42, 'A') + "B", std::string(42, 'A') + "+"})
        refused("\"key\":\"" + key + "\"", "key", "32 bytes in base64url without padding");
    refused("\"signature\":\"" + std::string(43, 'A') + "\"", "signature",
            "64 bytes in base64url without padding");
    refused(R"("when":"yesterday")", "when", "time in RFC 3339");
    refused(R"("when":"2026-02-30T00:00:00Z")", "when", "time in RFC 3339");
    refused(R"("status":"Active")", "status", "one of active, suspended, revoked, deleted");
}

BOOST_AUTO_TEST_CASE(sizes_are_limited) {
    refused(R"("agents":["a","b","c","d"])", "agents", "at most 3 items");
    refused(R"("labels":{"a":"","b":"","c":"","d":""})", "labels", "at most 3 items");
    refused(R"("labels":{"Not A Name":""})", "labels.Not A Name",
            "a key matching [a-z0-9._-]{1,64}");
    refused(R"("metadata":{"n":"0123456789012345678901234567890"})", "metadata",
            "object of at most 32 bytes as JSON");
    refused("\"anything\":\"" + std::string(300, 'x') + "\"", "anything",
            "value of at most 256 bytes as JSON");
    const auto long_text =
        decode_text<Everything>(R"({"text":"123456789"})", UnknownFields::refuse);
    BOOST_REQUIRE(long_text.has_error());
    BOOST_TEST(long_text.error().message() == "text: expected string of at most 8 bytes");
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_refused_or_ignored_at_every_depth) {
    const auto strict =
        decode_text<Inner>(R"({"heartbeat_seconds":30,"hartbeat":1})", UnknownFields::refuse);
    BOOST_REQUIRE(strict.has_error());
    BOOST_TEST(strict.error().details()->at("path").as_string() == "hartbeat");
    accepted(R"("new":1,"settings":{"heartbeat_seconds":30,"newer":2})", UnknownFields::ignore);
    // A key of any length is told back cut.
    const auto cut = decode_text<Inner>(
        R"({"heartbeat_seconds":30,")" + std::string(5000, 'k') + "\":1}", UnknownFields::refuse);
    BOOST_TEST(cut.error().details()->at("path").as_string() == std::string(64, 'k'));
}

BOOST_AUTO_TEST_CASE(null_is_absent_for_lenient_readers_only) {
    BOOST_TEST(!accepted(R"("name":null)", UnknownFields::ignore).name.has_value());
    refused(R"("name":null)", "name", "string");
    refused(R"("limit":null)", "limit", "integer", UnknownFields::ignore);
}

BOOST_AUTO_TEST_CASE(no_value_is_ever_told_back) {
    const auto result = decode_text<Everything>(
        R"({"text":"x","token":["rka_secret"],"digest":"rka_secret"})", UnknownFields::refuse);
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST(result.error().message().find("rka_secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(inlined_fields_are_the_owners_own) {
    const std::string text = R"({"status":"ok","heartbeat_seconds":30,"note":"n"})";
    const auto result = decode_text<Outer>(text, UnknownFields::refuse);
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(result->inner.heartbeat_seconds == 30);
    BOOST_TEST(encode(*result) == text);
    const auto unknown = decode_text<Outer>(R"({"status":"ok","heartbeat_seconds":30,"x":1})",
                                            UnknownFields::refuse);
    BOOST_REQUIRE(unknown.has_error());
    BOOST_TEST(unknown.error().details()->at("expected").as_string() ==
               "one of status, heartbeat_seconds, note");
}

BOOST_AUTO_TEST_CASE(what_one_field_cannot_say_is_checked_with_its_path) {
    BOOST_TEST(decode_text<OneOfTwo>(R"({"left":"x"})", UnknownFields::refuse).has_value());
    for (const std::string_view text : {"{}", R"({"left":"x","right":"y"})"}) {
        const auto bad = decode_text<OneOfTwo>(text, UnknownFields::refuse);
        BOOST_REQUIRE(bad.has_error());
        BOOST_TEST(bad.error().details()->at("path").as_string() == "left");
    }
    const auto inner = decode_text<Holder>(R"({"choice":{}})", UnknownFields::refuse);
    BOOST_REQUIRE(inner.has_error());
    BOOST_TEST(inner.error().details()->at("path").as_string() == "choice.left");
}

BOOST_AUTO_TEST_CASE(objects_outlive_the_arena_they_were_parsed_in) {
    std::optional<Everything> kept;
    {
        boost::json::monotonic_resource arena;
        const auto value = parse_json(R"({"text":"x","metadata":{"a":"b"}})", &arena);
        kept = *decode<Everything>(&*value, UnknownFields::refuse);
    }
    BOOST_TEST(kept->metadata->at("a").as_string() == "b");
    BOOST_TEST(kept->metadata->at("a").storage().get() == boost::json::storage_ptr{}.get());
}

BOOST_AUTO_TEST_CASE(the_schema_says_what_decoding_does) {
    std::string text;
    append_json_object(text, schema_of<Outer>(UnknownFields::refuse));
    BOOST_TEST(text == R"({"type":"object","properties":{"status":{"type":"string","enum":["ok"],)"
                       R"("description":""},"heartbeat_seconds":{"type":"integer","minimum":5,)"
                       R"("maximum":600,"description":""},"note":{"type":"string","maxLength":256,)"
                       R"("description":""}},"required":["status","heartbeat_seconds"],)"
                       R"("additionalProperties":false})");
    const auto schema = schema_of<Everything>(UnknownFields::ignore);
    BOOST_TEST(!schema.contains("additionalProperties"));
    BOOST_TEST(schema.at("required").as_array().size() == 1U);
    const auto& properties = schema.at("properties").as_object();
    BOOST_TEST(properties.size() == 19U);
    BOOST_TEST(properties.at("limit").at("default").as_int64() == 100);
    BOOST_TEST(properties.at("text").at("description").as_string() == "Any text.");
    BOOST_TEST(properties.at("when").at("format").as_string() == "date-time");
    BOOST_TEST(properties.at("agents").at("items").at("type").as_string() == "string");
    BOOST_TEST(properties.at("list").at("items").at("type").as_string() == "object");
    BOOST_TEST(properties.at("labels").at("additionalProperties").at("type").as_string() ==
               "string");
    BOOST_TEST(properties.at("fraction").at("type").as_string() == "number");
    BOOST_TEST(properties.at("flag").at("type").as_string() == "boolean");
    BOOST_TEST(!properties.at("anything").as_object().contains("type"));
}

BOOST_AUTO_TEST_SUITE_END()
