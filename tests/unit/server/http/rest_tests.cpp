// Which method a REST request means, and with which params.
#include "protocol/fields.hpp"
#include "protocol/method.hpp"
#include "server/http/rest_params.hpp"
#include "server/http/rest_table.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <map>

using namespace rekey;
using namespace rekey::server;
using http::RestInput;
namespace json = boost::json;

namespace {

using protocol::field;
using protocol::Rest;

struct Params {
    std::string thing_id;
    std::optional<std::int64_t> count;
    std::optional<double> share;
    std::optional<bool> wanted;
    std::vector<std::int64_t> numbers;
    std::map<std::string, std::string> labels;
    std::optional<std::string> idempotency_key;
    static constexpr auto fields() {
        constexpr protocol::Rule kMaybe{.presence = protocol::Presence::defaulted};
        return std::tuple{field("thing_id", &Params::thing_id, "Which."),
                          field("count", &Params::count, "How many."),
                          field("share", &Params::share, "How much."),
                          field("wanted", &Params::wanted, "Whether."),
                          field("numbers", &Params::numbers, "Which ones.", kMaybe),
                          field("labels", &Params::labels, "For selection.", kMaybe),
                          field("idempotency_key", &Params::idempotency_key, "Names the call.")};
    }
};

template <class Own>
struct Declared {
    static constexpr std::string_view name = Own::kName;
    static constexpr std::string_view summary = "Does something.";
    static constexpr protocol::Access access{.capability = "things:read"};
    using Params = ::Params;
    using Result = protocol::Nothing;

  private:
    Declared() = default;
    friend Own;
};

struct Get : Declared<Get> {
    static constexpr std::string_view kName = "things.get";
    static constexpr Rest rest{"GET", "/things/{thing_id}"};
};
struct Newest : Declared<Newest> {
    static constexpr std::string_view kName = "things.newest";
    static constexpr Rest rest{"GET", "/things/newest"};
};
struct Change : Declared<Change> {
    static constexpr std::string_view kName = "things.change";
    static constexpr Rest rest{"PATCH", "/things/{thing_id}"};
};
struct Remove : Declared<Remove> {
    static constexpr std::string_view kName = "things.remove";
    static constexpr Rest rest{"DELETE", "/things/{thing_id}", 204};
};
struct Part : Declared<Part> {
    static constexpr std::string_view kName = "things.part";
    static constexpr Rest rest{"POST", "/things/{thing_id}/parts/{count}", 201};
};
struct Silent : Declared<Silent> {
    static constexpr std::string_view kName = "things.silent";
};
struct Twin : Declared<Twin> {
    static constexpr std::string_view kName = "things.twin";
    static constexpr Rest rest{"GET", "/things/{count}"};
};
struct Stray : Declared<Stray> {
    static constexpr std::string_view kName = "things.stray";
    static constexpr Rest rest{"GET", "/strays/{stray_id}"};
};

const protocol::MethodInfo kMethods[] = {
    protocol::method_info<Get>(),    protocol::method_info<Newest>(),
    protocol::method_info<Part>(),   protocol::method_info<Remove>(),
    protocol::method_info<Change>(), protocol::method_info<Silent>()};

struct Fixture {
    http::RestTable table{kMethods};

    std::string method_of(std::string_view verb, const std::vector<std::string>& path) const {
        const auto match = table.find(verb, path);
        return match.route == nullptr ? "" : std::string(match.route->method->name);
    }
    Result<json::object> params(std::string_view verb, const RestInput& input = {},
                                const std::vector<std::string>& path = {"things", "t1"}) const {
        const auto match = table.find(verb, path);
        RestInput whole = input;
        whole.path = match.params;
        return http::rest_params(*match.route, whole);
    }
    json::value good(std::string_view verb, const RestInput& input) const {
        auto found = params(verb, input);
        BOOST_REQUIRE_MESSAGE(found.has_value(), found.error().message());
        return *std::move(found);
    }
    // The path of the field that is wrong.
    std::string wrong(std::string_view verb, const RestInput& input) const {
        const auto found = params(verb, input);
        BOOST_REQUIRE(found.has_error());
        BOOST_REQUIRE((found.error().code() == Code::invalid_params));
        BOOST_TEST(!found.error().details()->at("expected").as_string().empty());
        return std::string(found.error().details()->at("path").as_string());
    }
};

json::value parsed(std::string_view text) { return json::parse(text); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_verb_and_a_path_mean_one_method) {
    BOOST_TEST(method_of("GET", {"things", "t1"}) == "things.get");
    BOOST_TEST(method_of("HEAD", {"things", "t1"}) == "things.get");
    BOOST_TEST(method_of("GET", {"things", "newest"}) == "things.newest");
    BOOST_TEST(method_of("PATCH", {"things", "newest"}) == "things.change");
    BOOST_TEST(method_of("DELETE", {"things", "t1"}) == "things.remove");
    for (const auto& path : std::vector<std::vector<std::string>>{
             {""}, {"things"}, {"things", ""}, {"things", "t1", ""}, {"other", "t1"}}) {
        const auto match = table.find("GET", path);
        BOOST_TEST((match.route == nullptr));
        BOOST_TEST(match.allowed.empty());
    }
    const auto part = table.find("POST", {"things", "a/b", "parts", "7"});
    BOOST_REQUIRE(part.route != nullptr);
    BOOST_REQUIRE(part.params.size() == 2U);
    BOOST_TEST(part.params[0].first == "thing_id");
    BOOST_TEST(part.params[0].second == "a/b");
    BOOST_TEST(part.params[1].second == "7");
}

BOOST_AUTO_TEST_CASE(another_verb_hears_what_the_path_answers_to) {
    const auto match = table.find("PUT", {"things", "newest"});
    BOOST_TEST((match.route == nullptr));
    BOOST_TEST(match.allowed == "GET, HEAD, DELETE, PATCH");
    BOOST_TEST(table.find("HEAD", {"things", "t1", "parts", "1"}).allowed == "POST");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_served_does_not_start) {
    const protocol::MethodInfo twins[] = {protocol::method_info<Get>(),
                                          protocol::method_info<Twin>()};
    BOOST_CHECK_THROW(http::RestTable{twins}, StartupError);
    const protocol::MethodInfo strays[] = {protocol::method_info<Stray>()};
    BOOST_CHECK_THROW(http::RestTable{strays}, StartupError);
    BOOST_CHECK_NO_THROW(static_cast<void>(http::rest_table()));
}

BOOST_AUTO_TEST_CASE(a_query_has_the_types_of_the_methods_params) {
    BOOST_TEST(good("GET", {.query = "count=-5&share=0.25&wanted=true"}) ==
               parsed(R"({"thing_id":"t1","count":-5,"share":0.25,"wanted":true})"));
    BOOST_TEST(good("GET", {.query = "numbers=1&numbers=2&wanted=false"}) ==
               parsed(R"({"thing_id":"t1","numbers":[1,2],"wanted":false})"));
    BOOST_TEST(good("DELETE", {.query = "labels.site=north+1&labels.rack=%37"}) ==
               parsed(R"({"thing_id":"t1","labels":{"site":"north 1","rack":"7"}})"));
    BOOST_TEST(good("GET", {.query = "thing_id=t1"}) == parsed(R"({"thing_id":"t1"})"));
}

BOOST_AUTO_TEST_CASE(a_wrong_query_is_named_by_its_field) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"coutn=1", "coutn"},
        {"count=one", "count"},
        {"count=", "count"},
        {"count=+5", "count"},
        {"count=5x", "count"},
        {"count=9223372036854775808", "count"},
        {"share=nan", "share"},
        {"share=inf", "share"},
        {"wanted=1", "wanted"},
        {"count=1&count=1", "count"},
        {"numbers=1&numbers=x", "numbers"},
        {"labels=x", "labels"},
        {"labels.a=1&labels.a=2", "labels.a"},
        {"count.a=1", "count.a"},
        {"thing_id=t2", "thing_id"},
        {".=1", "."}};
    for (const auto& [query, path] : cases) BOOST_TEST_CONTEXT(query) {
            BOOST_TEST(wrong("GET", {.query = query}) == path);
        }
    // Its value may be a secret in the wrong place.
    const auto refused = params("GET", {.query = "count=rkk_secret"});
    BOOST_TEST(refused.error().message().find("rkk_secret") == std::string::npos);
    const auto unreadable = params("GET", {.query = "count=%zz"});
    BOOST_REQUIRE(unreadable.has_error());
    BOOST_TEST((unreadable.error().code() == Code::invalid_request));
}

BOOST_AUTO_TEST_CASE(what_has_a_body_takes_nothing_from_the_query) {
    BOOST_TEST(wrong("PATCH", {.query = "count=1"}) == "count");
    BOOST_TEST(good("PATCH", {.body = R"({"count":1,"labels":{"a":"b"}})"}) ==
               parsed(R"({"thing_id":"t1","count":1,"labels":{"a":"b"}})"));
    BOOST_TEST(good("PATCH", {}) == parsed(R"({"thing_id":"t1"})"));
    BOOST_TEST(good("DELETE", {.body = "{}"}) == parsed(R"({"thing_id":"t1"})"));
}

BOOST_AUTO_TEST_CASE(a_body_is_an_object_that_does_not_contradict_the_path) {
    BOOST_TEST(good("PATCH", {.body = R"({"thing_id":"t1"})"}) == parsed(R"({"thing_id":"t1"})"));
    BOOST_TEST(wrong("PATCH", {.body = R"({"thing_id":"t2"})"}) == "thing_id");
    BOOST_TEST(wrong("DELETE", {.query = "count=1", .body = R"({"count":2})"}) == "count");
    for (const std::string_view body : {"[]", "7", "null", "\"x\""})
        BOOST_TEST(wrong("PATCH", {.body = body}) == "", body);
    const auto broken = params("PATCH", {.body = "{"});
    BOOST_REQUIRE(broken.has_error());
    BOOST_TEST((broken.error().code() == Code::parse_error));
    const auto read = params("GET", {.body = "{}"});
    BOOST_REQUIRE(read.has_error());
    BOOST_TEST((read.error().code() == Code::invalid_request));
    // What is unknown is found by the method's own decoding.
    BOOST_TEST(good("PATCH", {.body = R"({"other":1})"}).as_object().contains("other"));
}

BOOST_AUTO_TEST_CASE(a_place_in_the_path_has_a_type_too) {
    const std::vector<std::string> seven{"things", "t1", "parts", "7"};
    BOOST_TEST(params("POST", {}, seven)->at("count").as_int64() == 7);
    const auto refused = params("POST", {}, {"things", "t1", "parts", "x"});
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().details()->at("path").as_string() == "count");
}

BOOST_AUTO_TEST_CASE(the_idempotency_key_of_the_header_is_a_param) {
    BOOST_TEST(good("PATCH", {.idempotency_key = "k1"}).at("idempotency_key").as_string() == "k1");
    BOOST_TEST(wrong("PATCH", {.body = R"({"idempotency_key":"k2"})", .idempotency_key = "k1"}) ==
               "idempotency_key");
}

BOOST_AUTO_TEST_SUITE_END()
