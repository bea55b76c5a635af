#include "agent/daemon/control_peer.hpp"
#include "agent/daemon/control_socket.hpp"
#include "base/limits.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace rekey;
using namespace rekey::agent;
using Local = boost::asio::local::stream_protocol;

namespace {

// A daemon's socket on a thread of its own.
struct Fixture {
    Fixture() {
        control.on(
            "echo", [](const boost::json::value* params, const ControlSocket::Answer& answer) {
                answer(params == nullptr ? std::string("null") : boost::json::serialize(*params));
            });
        control.on("refuse", [](const boost::json::value*, const ControlSocket::Answer& answer) {
            answer(Error(Code::agent_suspended, "not now"));
        });
        control.on("later", [this](const boost::json::value*, ControlSocket::Answer answer) {
            boost::asio::post(context, [answer = std::move(answer)] { answer("7"); });
        });
        control.on("never", [this](const boost::json::value*, ControlSocket::Answer answer) {
            kept.push_back(std::move(answer));
        });
        BOOST_REQUIRE(control.open().has_value());
        thread = std::thread([this] { context.run(); });
    }
    ~Fixture() {
        on_loop([this] { control.close(); });
        work.reset();
        thread.join();
    }
    template <class Action>
    void on_loop(Action action) {
        std::promise<void> done;
        boost::asio::post(context, [&] {
            action();
            done.set_value();
        });
        done.get_future().wait();
    }
    Result<boost::json::value> ask(std::string_view method, std::string_view params = "{}") {
        return ask_daemon(state, method, params);
    }
    // What comes back for these bytes, until the daemon closes or `lines` lines came.
    std::string say(const std::string& bytes, std::size_t lines) {
        boost::asio::io_context here;
        Local::socket socket(here);
        socket.connect(Local::endpoint(control_path(state)));
        boost::system::error_code ignored;
        boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
        std::string answer;
        char one = 0;
        while (lines > 0 && boost::asio::read(socket, boost::asio::buffer(&one, 1), ignored) == 1) {
            answer.push_back(one);
            if (one == '\n') --lines;
        }
        return answer;
    }

    testing::TemporaryDirectory folder;
    const std::string state = folder.file("state.json");
    std::unique_ptr<Log> log = make_silent_log();
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
    std::vector<ControlSocket::Answer> kept;
    ControlSocket control{context, control_path(state), *log};
    std::thread thread;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(control_socket_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_request_is_answered_and_an_error_keeps_its_name) {
    BOOST_TEST(boost::json::serialize(ask("echo", R"({"a":[1]})").value()) == R"({"a":[1]})");
    BOOST_TEST(boost::json::serialize(ask("later").value()) == "7");
    BOOST_TEST((ask("refuse").error().code() == Code::agent_suspended));
    BOOST_TEST(ask("refuse").error().message() == "not now");
    BOOST_TEST((ask("no.such").error().code() == Code::method_not_found));
}

BOOST_AUTO_TEST_CASE(only_its_own_user_can_open_it) {
    struct stat status{};
    BOOST_REQUIRE(::stat(control_path(state).c_str(), &status) == 0);
    BOOST_TEST(S_ISSOCK(status.st_mode));
    BOOST_TEST((status.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(one_connection_asks_again_and_again) {
    const std::string echo = R"({"method":"echo","params":1})"
                             "\n";
    BOOST_TEST(say(echo + echo + R"({"method":"echo"})" + "\n", 3) ==
               "{\"result\":1}\n{\"result\":1}\n{\"result\":null}\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_answered_once_and_ended) {
    for (const char* wrong : {"{\n{\n", "[]\n[]\n", "7\n\n", "{\"method\":7}\n{}\n", "\n\n"}) {
        const std::string answer = say(wrong, 9);
        BOOST_TEST(answer.find("invalid_request") != std::string::npos, wrong);
        BOOST_TEST(std::count(answer.begin(), answer.end(), '\n') == 1);
    }
    BOOST_TEST(say(std::string(limits::kControlLineBytes + 1, 'x'), 9).empty());
    BOOST_TEST(ask("echo").has_value());
}

BOOST_AUTO_TEST_CASE(a_peer_that_hangs_up_before_its_answer_is_forgotten) {
    say(R"({"method":"never"})"
        "\n",
        0);
    // The next request is served behind that one.
    BOOST_TEST(ask("echo").has_value());
    on_loop([this] {
        for (const auto& answer : kept) answer("1");
    });
    BOOST_TEST(ask("echo").has_value());
}

BOOST_AUTO_TEST_CASE(so_many_at_once_and_no_more) {
    boost::asio::io_context here;
    std::vector<Local::socket> crowd;
    for (std::size_t i = 0; i < limits::kControlConnections; ++i) {
        crowd.emplace_back(here).connect(Local::endpoint(control_path(state)));
        boost::asio::write(crowd.back(),
                           boost::asio::buffer(std::string("{\"method\":\"echo\"}\n")));
        std::string line(16, ' ');
        boost::asio::read(crowd.back(), boost::asio::buffer(line));
        BOOST_TEST(line == "{\"result\":null}\n");
    }
    BOOST_TEST((ask("echo").error().code() == Code::agent_offline));
    crowd.pop_back();
    // Its end is seen at the daemon's next turn.
    while (ask("echo").has_error()) {
    }
}

BOOST_AUTO_TEST_CASE(a_socket_that_was_left_is_replaced_and_a_file_is_not) {
    on_loop([this] { control.close(); });
    BOOST_TEST(!std::filesystem::exists(control_path(state)));
    BOOST_TEST((ask("echo").error().code() == Code::agent_offline));
    {
        // As a killed daemon leaves it: bound, and nobody listens.
        boost::asio::io_context here;
        const Local::acceptor left(here, Local::endpoint(control_path(state)));
    }
    BOOST_TEST(std::filesystem::exists(control_path(state)));
    BOOST_TEST((ask("echo").error().code() == Code::agent_offline));
    on_loop([this] { BOOST_TEST(control.open().has_value()); });
    BOOST_TEST(ask("echo").has_value());
    on_loop([this] { control.close(); });
    std::ofstream(control_path(state)) << "mine";
    on_loop([this] { BOOST_TEST((control.open().error().code() == Code::unavailable)); });
    BOOST_TEST(std::filesystem::file_size(control_path(state)) == 4U);
}

BOOST_AUTO_TEST_CASE(a_path_that_no_socket_can_have_is_said) {
    const std::string long_path = folder.file(std::string(120, 'x'));
    ControlSocket other(context, long_path, *log);
    const auto opened = other.open();
    BOOST_TEST((opened.error().code() == Code::unavailable));
    BOOST_TEST(opened.error().message().find("too long") != std::string::npos);
    BOOST_TEST((ask_daemon(long_path, "echo", "{}").error().code() == Code::unavailable));
}

BOOST_AUTO_TEST_SUITE_END()
