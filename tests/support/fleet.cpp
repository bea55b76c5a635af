#include "tests/support/fleet.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace rekey::testing {

namespace json = boost::json;

namespace {

constexpr std::size_t kSmallFileBytes = 65536;
constexpr std::chrono::milliseconds kConnectPatience = std::chrono::minutes{2};

std::string first_line(const std::string& path) {
    const std::string text = read_file(path, kSmallFileBytes).value();
    return text.substr(0, text.find('\n'));
}

net::HttpClientOptions client_options(const AdminAccess& access) {
    net::HttpClientOptions options;
    options.host = access.host;
    options.port = access.port;
    options.tls = access.tls;
    return options;
}

json::value result_of(const std::string& method, const json::value& answer) {
    const json::value* result =
        answer.is_object() ? answer.as_object().if_contains("result") : nullptr;
    if (result == nullptr) throw std::runtime_error(method + ": " + json::serialize(answer));
    return *result;
}

}  // namespace

AdminAccess admin_access(const std::string& data_directory, bool plain) {
    AdminAccess access;
    const std::string address = first_line(data_directory + "/listen");
    const std::size_t colon = address.rfind(':');
    access.host = address.substr(0, colon);
    access.port = static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)));
    access.api_key = first_line(data_directory + "/admin.key");
    if (!plain)
        access.tls =
            net::ClientTls::make(
                net::Trust::ca(read_file(data_directory + "/ca.pem", kSmallFileBytes).value()))
                .value();
    return access;
}

AdminClient::AdminClient(const AdminAccess& access)
    : api_key_(access.api_key), client_(client_options(access)) {}

std::vector<json::value> AdminClient::call_all(const std::string& method,
                                               const std::vector<json::object>& params) {
    std::vector<json::value> results(params.size());
    for (std::size_t from = 0; from < params.size(); from += limits::kBatchEntries) {
        json::array batch;
        for (std::size_t i = from; i < std::min(params.size(), from + limits::kBatchEntries); ++i)
            batch.push_back(
                {{"jsonrpc", "2.0"}, {"id", i}, {"method", method}, {"params", params[i]}});
        net::HttpCall call{.method = "POST", .target = "/rpc"};
        call.headers.emplace_back("Authorization", Secret("Bearer " + api_key_));
        call.body = Secret(json::serialize(batch));
        const net::HttpResponse response = client_.send(call).value();
        if (response.status != 200) throw std::runtime_error(method + ": " + response.body);
        const json::value answers = json::parse(response.body);
        for (const json::value& answer : answers.as_array())
            results.at(answer.at("id").to_number<std::size_t>()) = result_of(method, answer);
    }
    return results;
}

json::value AdminClient::call(const std::string& method, const json::object& params) {
    return call_all(method, {params}).at(0);
}

Fleet::Fleet(AdminAccess access, std::uint64_t seed)
    : access_(std::move(access)), admin_(access_), random_(seed) {}

void Fleet::enroll(std::size_t count, const std::string& prefix) {
    std::vector<json::object> wanted;
    wanted.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        wanted.push_back({{"name", prefix + "-" + std::to_string(agents_.size() + i)}});
    std::vector<json::object> ids;
    for (const json::value& created : admin_.call_all("agents.create", wanted))
        ids.push_back({{"agent_id", created.at("agent_id")}});
    for (const json::value& code : admin_.call_all("agents.enrollment_code", ids)) {
        ScriptedIdentity identity =
            enroll_scripted(access_.host, access_.port, access_.tls,
                            std::string(code.at("code").as_string()), random_);
        agents_.push_back(std::make_unique<ScriptedAgent>(context_, std::move(identity), Script{}));
        agents_.back()->on_change = [this] { dirty_ = true; };
    }
}

bool Fleet::run_until(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    context_.restart();
    while (!condition()) {
        dirty_ = false;
        while (!dirty_) {
            if (context_.run_one_until(deadline) == 0) return condition();
            context_.poll();
        }
    }
    return true;
}

void Fleet::connect(const std::vector<std::size_t>& which, std::size_t at_once) {
    std::size_t next = 0;
    std::vector<std::size_t> open;
    const auto in_flight = [&] {
        std::erase_if(open, [&](std::size_t i) { return agents_[i]->connected(); });
        for (const std::size_t i : open)
            if (!agents_[i]->seen().refusal.empty())
                throw std::runtime_error("agent " + std::to_string(i) +
                                         " was refused: " + agents_[i]->seen().refusal);
        return open.size();
    };
    while (next < which.size() || in_flight() > 0) {
        for (; next < which.size() && open.size() < at_once; ++next) {
            agents_[which[next]]->connect();
            open.push_back(which[next]);
        }
        if (!run_until(
                [&] { return in_flight() < at_once && (next < which.size() || open.empty()); },
                kConnectPatience))
            throw std::runtime_error("the fleet did not get in");
    }
}

void Fleet::connect_all() {
    std::vector<std::size_t> all(agents_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    connect(all);
}

}  // namespace rekey::testing
