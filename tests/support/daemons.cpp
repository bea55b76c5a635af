#include "tests/support/daemons.hpp"

#include "base/durable_file.hpp"
#include "protocol/errors.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <filesystem>
#include <signal.h>
#include <stdexcept>
#include <thread>

namespace rekey::testing {
namespace {

constexpr std::size_t kSmallFileBytes = 65536;
// Between two looks at something that only changes from outside.
constexpr std::chrono::milliseconds kLookAgain{20};

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

std::uint64_t number(const boost::json::object& object, const char* name) {
    const boost::json::value* value = object.if_contains(name);
    return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

}  // namespace

std::string rekeyd_program() { return REKEYD_PROGRAM; }
std::string agent_program() { return REKEY_AGENT_PROGRAM; }
std::string ctl_program() { return REKEYCTL_PROGRAM; }

Rekeyd::Rekeyd(Options options)
    : options_(std::move(options)),
      directory_((options_.home.empty() ? home_.path() : options_.home) + "/data") {
    start();
}

void Rekeyd::start() {
    Process::Options process;
    process.command = options_.wrapper;
    const std::string listen = "127.0.0.1:" + std::to_string(port_);
    for (const std::string& argument :
         {rekeyd_program(), std::string("--data-dir"), directory_, std::string("--listen"), listen})
        process.command.push_back(argument);
    if (options_.transport == Transport::plain) process.command.emplace_back("--plain-http");
    process.command.insert(process.command.end(), options_.arguments.begin(),
                           options_.arguments.end());
    process.environment = options_.environment;
    // Tests ask more often than people do; those of the limit set one.
    process.environment.try_emplace("REKEY_RATE_LIMIT_API_PER_MINUTE", "0");
    process.on_line = options_.on_line;
    // The file of the run before would be mistaken for the new one's.
    std::filesystem::remove(directory_ + "/listen");
    process_ = std::make_unique<Process>(std::move(process));
    const std::string address = wait_for_address();
    const std::size_t colon = address.rfind(':');
    host_ = address.substr(0, colon);
    port_ = static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)));
    admin_key_ = trimmed(read_file(directory_ + "/admin.key", kSmallFileBytes).value());
    if (options_.transport == Transport::tls && !tls_)
        tls_ = net::ClientTls::make(
                   net::Trust::ca(read_file(directory_ + "/ca.pem", kSmallFileBytes).value()))
                   .value();
}

// The address stands in a file once the server listens, whatever it logs.
std::string Rekeyd::wait_for_address() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const Result<std::string> address = read_file(directory_ + "/listen", kSmallFileBytes);
        if (address.has_value() && address->ends_with('\n')) return trimmed(*address);
        if (!process_->running() || std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("rekeyd did not listen; its output:\n" + process_->output());
        std::this_thread::sleep_until(std::chrono::steady_clock::now() + kLookAgain);
    }
}

int Rekeyd::stop() {
    process_->signal(SIGTERM);
    return process_->wait();
}

net::HttpResponse Rekeyd::http(const net::HttpCall& call) const {
    net::HttpClientOptions options;
    options.host = host_;
    options.port = port_;
    options.tls = tls_;
    net::BlockingHttpClient client(options);
    return client.send(call).value();
}

net::HttpResponse Rekeyd::post(const std::string& target, const std::string& body,
                               const std::string& bearer) const {
    net::HttpCall call;
    call.method = "POST";
    call.target = target;
    if (!bearer.empty()) call.headers.emplace_back("Authorization", Secret("Bearer " + bearer));
    call.body = Secret(body);
    return http(call);
}

Result<boost::json::value> Rekeyd::try_call(const std::string& method,
                                            const boost::json::object& params) const {
    const boost::json::object request{
        {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    const net::HttpResponse response = post("/rpc", boost::json::serialize(request), admin_key_);
    boost::json::value answer = boost::json::parse(response.body);
    if (response.status != 200) return protocol::error_from_body(answer, response.status);
    if (const boost::json::value* error = answer.as_object().if_contains("error"); error != nullptr)
        return protocol::error_from_json_rpc(*error);
    return answer.as_object().at("result");
}

boost::json::value Rekeyd::call(const std::string& method,
                                const boost::json::object& params) const {
    Result<boost::json::value> result = try_call(method, params);
    if (result.has_error()) throw std::runtime_error(method + ": " + result.error().message());
    return std::move(*result);
}

Rekeyd::NewAgent Rekeyd::new_agent(const std::string& name) const {
    const auto text = [](const boost::json::value& object, const char* member) {
        return std::string(object.as_object().at(member).as_string());
    };
    const boost::json::value created = call("agents.create", {{"name", name}});
    const boost::json::value code =
        call("agents.enrollment_code", {{"agent_id", created.at("agent_id")}});
    return {text(created, "agent_id"), text(code, "code"), text(code, "join_string")};
}

boost::json::object Rekeyd::agent(const std::string& agent_id) const {
    return call("agents.get", {{"agent_id", agent_id}}).as_object();
}

boost::json::object Rekeyd::wait_until(
    const std::string& agent_id,
    const std::function<bool(const boost::json::object&)>& condition) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        boost::json::object seen = agent(agent_id);
        if (condition(seen)) return seen;
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("agents.get never became as expected; the last was " +
                                     boost::json::serialize(seen) + "\nserver:\n" +
                                     process_->output());
        std::this_thread::sleep_until(std::chrono::steady_clock::now() + kLookAgain);
    }
}

boost::json::object Rekeyd::wait_settled(const std::string& agent_id,
                                         std::uint64_t generation) const {
    return wait_until(agent_id, [&](const boost::json::object& seen) {
        return seen.at("connected").as_bool() && number(seen, "generation") >= generation &&
               number(seen, "activated_generation") == number(seen, "generation") &&
               !seen.contains("pending");
    });
}

int RekeyAgent::enroll(const std::string& join_string) {
    const Finished finished =
        run({agent_program(), "enroll", "--state", state_path()}, join_string + "\n");
    enroll_output_ = finished.output;
    return finished.exit_code;
}

void RekeyAgent::start(LineHook on_line, std::vector<std::string> arguments,
                       std::map<std::string, std::string> environment) {
    Process::Options process;
    process.command = {agent_program(), "run", "--state", state_path()};
    process.command.insert(process.command.end(), arguments.begin(), arguments.end());
    process.environment = std::move(environment);
    process.on_line = std::move(on_line);
    process_ = std::make_unique<Process>(std::move(process));
}

int RekeyAgent::stop() {
    process_->signal(SIGTERM);
    return process_->wait();
}

Finished run(std::vector<std::string> command, std::string standard_input,
             std::map<std::string, std::string> environment) {
    Process::Options options;
    options.command = std::move(command);
    options.standard_input = std::move(standard_input);
    options.environment = std::move(environment);
    Process process(std::move(options));
    const int exit_code = process.wait();
    process.wait_for_end_of_output();
    return {exit_code, process.output()};
}

}  // namespace rekey::testing
