#include "tests/kill/admin.hpp"

#include "base/durable_file.hpp"
#include "protocol/errors.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <stdexcept>

namespace rekey::testing {

namespace json = boost::json;

namespace {

constexpr std::size_t kSmallFileBytes = 65536;
// A call that a stopped server does not answer is given up, and made again.
constexpr std::chrono::seconds kCallPatience{3};

std::string first_line(const std::string& path) {
    const auto text = read_file(path, kSmallFileBytes);
    return text.has_value() ? text->substr(0, text->find('\n')) : std::string();
}

}  // namespace

void Admin::server_is_gone() {
    std::filesystem::remove(data_dir_ + "/listen");
    client_.reset();
}

bool Admin::find_server() {
    if (client_) return true;
    const std::string address = first_line(data_dir_ + "/listen");
    if (address.empty()) return false;
    port_ = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    key_ = first_line(data_dir_ + "/admin.key");
    net::HttpClientOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.timeout = kCallPatience;
    options.tls = net::ClientTls::make(
                      net::Trust::ca(read_file(data_dir_ + "/ca.pem", kSmallFileBytes).value()))
                      .value();
    client_.emplace(std::move(options));
    return true;
}

std::optional<Admin::Answer> Admin::ask(const std::string& method, const json::object& params) {
    if (!find_server()) return std::nullopt;
    net::HttpCall call{.method = "POST", .target = "/rpc"};
    call.headers.emplace_back("Authorization", Secret("Bearer " + key_));
    call.body = Secret(json::serialize(
        json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}));
    const auto response = client_->send(call);
    if (response.has_error()) {
        client_.reset();
        return std::nullopt;
    }
    const json::value answer = json::parse(response->body);
    if (response->status != 200) return Answer(protocol::error_from_body(answer, response->status));
    if (const json::value* error = answer.as_object().if_contains("error"))
        return Answer(protocol::error_from_json_rpc(*error));
    return Answer(answer.as_object().at("result"));
}

std::optional<json::value> Admin::result_of(const std::string& method, const json::object& params) {
    auto answer = ask(method, params);
    if (!answer) return std::nullopt;
    if (answer->has_error())
        throw std::runtime_error(method + " was refused: " + answer->error().message());
    return std::move(**answer);
}

}  // namespace rekey::testing
