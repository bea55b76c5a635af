#include "protocol/catalog.hpp"
#include "protocol/openapi.hpp"
#include "protocol/openrpc.hpp"
#include "protocol/reference.hpp"
#include "protocol/schema_parts.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

using namespace rekey;
using namespace rekey::protocol;
namespace json = boost::json;

namespace {

constexpr const char* kReference = REKEY_SOURCE_DIR "/docs/methods.md";

// Every "$ref" inside, however deep.
void collect_references(const json::value& value, std::set<std::string>& found) {
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (key == "$ref") found.emplace(member.as_string());
            collect_references(member, found);
        }
    } else if (const auto* array = value.if_array()) {
        for (const auto& item : *array) collect_references(item, found);
    }
}

void check_references(const json::object& document) {
    std::set<std::string> references;
    collect_references(document, references);
    BOOST_TEST(!references.empty());
    const json::value whole = document;
    for (const std::string& reference : references) {
        boost::system::error_code missing;
        static_cast<void>(whole.find_pointer(reference.substr(1), missing));
        BOOST_TEST(!missing, reference);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_tests)

BOOST_AUTO_TEST_CASE(the_reference_in_docs_is_what_the_catalog_says) {
    const std::string text = methods_reference();
    if (std::getenv("REKEY_WRITE_REFERENCE") != nullptr) std::ofstream(kReference) << text;
    std::ifstream file(kReference);
    const std::string written(std::istreambuf_iterator<char>(file), {});
    BOOST_TEST((written == text),
               "docs/methods.md is not what the catalog says; write it anew with "
               "REKEY_WRITE_REFERENCE=1 unit_protocol --run_test=reference_tests");
}

BOOST_AUTO_TEST_CASE(openrpc_has_every_method_of_admins_and_resolves) {
    const json::object document = openrpc_document("1.2.3");
    BOOST_TEST(document.at("info").at("version").as_string() == "1.2.3");
    std::set<std::string> names;
    for (const auto& method : document.at("methods").as_array()) {
        names.emplace(method.at("name").as_string());
        for (const auto& param : method.at("params").as_array()) {
            BOOST_TEST(!param.at("schema").as_object().contains("description"));
            BOOST_TEST(param.at("required").is_bool());
        }
    }
    for (const MethodInfo& method : catalog()) {
        const bool is_admins = method.access.caller == Caller::admin;
        if (is_admins) BOOST_TEST(names.contains(std::string(method.name)), method.name);
    }
    BOOST_TEST(!names.contains("agent.hello"));
    check_references(document);
}

BOOST_AUTO_TEST_CASE(openapi_has_every_route_and_resolves) {
    const json::object document = openapi_document("1.2.3");
    for (const MethodInfo& method : catalog()) {
        if (method.rest.verb.empty()) continue;
        std::string verb(method.rest.verb);
        for (char& c : verb) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const auto& operation = document.at("paths").at(method.rest.path).at(verb);
        BOOST_TEST(operation.at("operationId").as_string() == method.name);
        const auto& responses = operation.at("responses").as_object();
        const auto& done = responses.at(std::to_string(method.rest.status)).as_object();
        BOOST_TEST(done.contains("content") == (method.rest.status != 204));
        for (const char* status : {"401", "403", "404", "409", "422", "429"})
            BOOST_TEST(responses.contains(status), status);
    }
    const auto& get = document.at("paths").at("/agents/{agent_id}").at("get").as_object();
    BOOST_TEST(get.at("parameters").at(0).at("in").as_string() == "path");
    BOOST_TEST(!get.contains("requestBody"));
    const auto& create = document.at("paths").at("/agents").at("post").as_object();
    BOOST_TEST(create.at("requestBody").at("required").as_bool());
    const auto& content = create.at("requestBody").at("content").at("application/json");
    BOOST_TEST(content.at("example").at("name").as_string() == "my-agent");
    BOOST_TEST(document.at("paths").at("/healthz").at("get").at("security").as_array().empty());
    check_references(document);
}

BOOST_AUTO_TEST_CASE(an_example_is_what_its_schema_allows) {
    const auto example = [](std::string_view schema) {
        return example_of(json::parse(schema).as_object());
    };
    BOOST_TEST(example(R"({"type":"integer","minimum":3})") == json::value(3));
    BOOST_TEST(example(R"({"type":"integer","default":7,"minimum":3})") == json::value(7));
    BOOST_TEST(example(R"({"type":"string","enum":["b","a"]})") == json::value("b"));
    BOOST_TEST(example(R"({"type":"array","items":{"type":"boolean"}})") == json::parse("[true]"));
    BOOST_TEST(example(R"({"type":"object","required":["a"],"properties":{"a":{"type":"string"},)"
                       R"("b":{"type":"string"}}})") == json::parse(R"({"a":"text"})"));
}

BOOST_AUTO_TEST_SUITE_END()
