#include "agent/client.hpp"
#include "fake_server.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <thread>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    testing::TemporaryDirectory folder;
    std::string path = folder.file("state.json");

    void enroll_at(const ServerAddress& server) {
        AgentState state = state_with({held(1, kConfirmed)});
        state.server = server;
        BOOST_REQUIRE(!FileDisk(path).write(encode_state(state)));
    }
    [[nodiscard]] rotation::HeldTokens on_disk() const {
        FileDisk disk(path);
        return decode_state(disk.read().value())->tokens;
    }
};

Error start_error(const std::string& path) {
    Client client({.state_path = path});
    const auto started = client.start();
    BOOST_REQUIRE(started.has_error());
    return started.error();
}

bool says(const Error& error, const std::string& text) {
    return error.message().find(text) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_tests, Fixture)

BOOST_AUTO_TEST_CASE(what_cannot_start_says_why) {
    BOOST_TEST((start_error(path).code() == Code::not_found));
    BOOST_TEST(says(start_error(path), "rekey-agent enroll"));
    BOOST_TEST((start_error(folder.file("no/folder/state.json")).code() == Code::not_found));

    enroll_at({"127.0.0.1", 1, protocol::SystemCa{}});
    BOOST_REQUIRE(::chmod(path.c_str(), 0644) == 0);
    BOOST_TEST(says(start_error(path), "chmod 600 " + path));
    BOOST_REQUIRE(::chmod(path.c_str(), 0600) == 0);

    std::ofstream(path + ".key") << "key";
    BOOST_REQUIRE(::chmod((path + ".key").c_str(), 0644) == 0);
    BOOST_TEST(says(start_error(path), "chmod 600 " + path + ".key"));
    BOOST_REQUIRE(::chmod((path + ".key").c_str(), 0600) == 0);

    {
        const auto lock = FileLock::acquire(path + ".lock").value();
        BOOST_TEST((start_error(path).code() == Code::conflict));
    }
    std::ofstream(path) << "{";
    BOOST_TEST((start_error(path).code() == Code::corrupt));
    BOOST_TEST(says(start_error(path), path));
}

BOOST_AUTO_TEST_CASE(one_object_connects_rotates_and_says_good_bye) {
    FakeServer server;
    enroll_at(server.address());
    std::promise<Rotated> rotated;
    std::promise<EndReason> ended;
    ClientOptions options{.state_path = path};
    options.hooks.on_rotated = [&](const Rotated& value) { rotated.set_value(value); };
    options.hooks.on_ended = [&](EndReason reason) { ended.set_value(reason); };
    Client client(std::move(options));
    client.on("app.echo", [](const boost::json::value& params) { return params; });
    BOOST_REQUIRE(client.start().has_value());
    BOOST_TEST((start_error(path).code() == Code::conflict));  // two on one file
    server.wait_message("app.echo");
    server.offer(2);
    server.wait_activated(2);
    BOOST_TEST(rotated.get_future().get().generation == 2U);
    const auto tokens = on_disk();
    BOOST_REQUIRE(tokens.size() == 2U);
    BOOST_TEST((tokens[1] == held(2, kConfirmed)));
    const ClientStatus status = client.status();
    BOOST_TEST((status.connection == ConnectionState::connected));
    BOOST_TEST(status.agent_id == kAgentId);
    BOOST_TEST(status.tokens.size() == 2U);

    client.stop("the test is over");
    BOOST_TEST((ended.get_future().get() == EndReason::stopped));
    server.wait_message("the test is over");
    BOOST_TEST((client.status().connection == ConnectionState::idle));
    client.stop();  // twice is fine
    BOOST_TEST(FileLock::acquire(path + ".lock").has_value());
    BOOST_TEST(server.authorizations().at(0) == "Bearer " + token_text(1));
}

BOOST_AUTO_TEST_CASE(it_comes_back_and_resumes_its_tls_session) {
    FakeServer server;
    enroll_at(server.address());
    Client client({.state_path = path});
    BOOST_REQUIRE(client.start().has_value());
    server.wait_message("agent.hello");
    server.close_all(4000);
    server.wait_connections(2);
    BOOST_TEST(server.resumed() == 1U);
    client.stop();
}

BOOST_AUTO_TEST_CASE(a_server_with_another_ca_is_told_nothing) {
    FakeServer server;
    ServerAddress address = server.address();
    address.trust = protocol::PinnedCa{protocol::parse_pin(server.other_pin).value()};
    enroll_at(address);
    std::promise<void> refused;
    std::atomic<bool> told = false;
    Client* self = nullptr;
    ClientOptions options{.state_path = path};
    options.hooks.on_changed = [&] {
        if (!self->status().last_error.empty() && !told.exchange(true)) refused.set_value();
    };
    Client client(std::move(options));
    self = &client;
    BOOST_REQUIRE(client.start().has_value());
    BOOST_REQUIRE(refused.get_future().wait_for(20s) == std::future_status::ready);
    BOOST_TEST(client.status().last_error.find("join string") != std::string::npos);
    BOOST_TEST(server.authorizations().empty());
    client.stop();
}

BOOST_AUTO_TEST_CASE(revoked_ends_by_itself) {
    FakeServer server;
    enroll_at(server.address());
    std::promise<EndReason> ended;
    ClientOptions options{.state_path = path};
    options.hooks.on_ended = [&](EndReason reason) { ended.set_value(reason); };
    Client client(std::move(options));
    BOOST_REQUIRE(client.start().has_value());
    server.wait_message("agent.hello");
    server.close_all(4500);
    auto future = ended.get_future();
    BOOST_REQUIRE(future.wait_for(20s) == std::future_status::ready);
    BOOST_TEST((future.get() == EndReason::revoked));
    BOOST_TEST(on_disk().size() == 1U);
    client.stop();
}

BOOST_AUTO_TEST_CASE(any_thread_may_call_anything) {
    FakeServer server;
    enroll_at(server.address());
    ClientOptions options{.state_path = path};
    Client client(std::move(options));
    BOOST_REQUIRE(client.start().has_value());
    std::atomic<bool> over = false;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (!over) {
                static_cast<void>(client.status());
                client.rotate_now();
                std::this_thread::yield();
            }
        });
    server.wait_message("agent.hello");
    server.offer(2);
    server.wait_activated(2);
    std::thread first([&] { client.stop("one"); });
    std::thread second([&] { client.stop("two"); });
    first.join();
    second.join();
    over = true;
    for (auto& thread : threads) thread.join();
    BOOST_TEST(on_disk().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_hook_may_stop_and_may_throw) {
    FakeServer server;
    enroll_at(server.address());
    Client* self = nullptr;
    std::promise<void> ended;
    ClientOptions options{.state_path = path};
    options.hooks.on_rotated = [&](const Rotated&) {
        self->stop("from a hook");
        throw std::runtime_error("the application's own");
    };
    options.hooks.on_ended = [&](EndReason) { ended.set_value(); };
    Client client(std::move(options));
    self = &client;
    BOOST_REQUIRE(client.start().has_value());
    server.wait_message("agent.hello");
    server.offer(2);
    BOOST_TEST((ended.get_future().wait_for(20s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(destroying_it_while_connected_ends_it) {
    FakeServer server;
    enroll_at(server.address());
    {
        Client client({.state_path = path});
        BOOST_REQUIRE(client.start().has_value());
        server.wait_message("agent.hello");
    }
    BOOST_TEST(FileLock::acquire(path + ".lock").has_value());
    {
        const Client never_started({.state_path = path});
    }
}

BOOST_AUTO_TEST_CASE(it_lives_on_the_callers_io_context) {
    FakeServer server;
    enroll_at(server.address());
    boost::asio::io_context context;
    const auto here = std::this_thread::get_id();
    bool rotated_here = false;
    Client* self = nullptr;
    ClientOptions options{.state_path = path};
    options.context = &context;
    options.hooks.on_changed = [&] {
        if (self->status().connection == ConnectionState::connected && !rotated_here)
            server.offer(2);
    };
    options.hooks.on_rotated = [&](const Rotated&) {
        rotated_here = std::this_thread::get_id() == here;
        self->stop();
    };
    Client client(std::move(options));
    self = &client;
    BOOST_REQUIRE(client.start().has_value());
    context.run_for(20s);
    BOOST_TEST(rotated_here);
    BOOST_TEST(context.stopped());  // it ran out of work: nothing was left behind
}

BOOST_AUTO_TEST_SUITE_END()
