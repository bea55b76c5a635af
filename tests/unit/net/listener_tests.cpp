#include "net/listener.hpp"
#include "net_fixture.hpp"

#include <sys/resource.h>
#include <unistd.h>

using namespace rekey;
using namespace rekey::net;

namespace {

// Lowers the limit of open files for as long as it lives.
class FewFiles {
  public:
    explicit FewFiles(rlim_t limit) {
        getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit few{limit, before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
    }
    ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
    FewFiles(const FewFiles&) = delete;
    FewFiles& operator=(const FewFiles&) = delete;

  private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listener_tests)

BOOST_AUTO_TEST_CASE(a_port_in_use_is_a_conflict_that_names_it) {
    boost::asio::io_context io(1);
    const auto ignore = [](TcpSocket) {};
    for (const PortUse held : {PortUse::exclusive, PortUse::shared_first}) {
        const auto first = Listener::open(io, "127.0.0.1", 0, held, ignore).value();
        for (const PortUse wanted : {PortUse::exclusive, PortUse::shared_first}) {
            const auto second = Listener::open(io, "127.0.0.1", first->port(), wanted, ignore);
            BOOST_REQUIRE(second.has_error());
            BOOST_TEST((second.error().code() == Code::conflict));
            BOOST_TEST(second.error().message().find(first->address()) != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(shards_share_a_port) {
    boost::asio::io_context io(1);
    const auto ignore = [](TcpSocket) {};
    const auto first = Listener::open(io, "127.0.0.1", 0, PortUse::shared_first, ignore).value();
    const auto second = Listener::open(io, "127.0.0.1", first->port(), PortUse::shared, ignore);
    BOOST_REQUIRE(!second.has_error());
    BOOST_TEST((*second)->port() == first->port());
}

BOOST_AUTO_TEST_CASE(a_foreign_address_is_refused) {
    boost::asio::io_context io(1);
    for (const char* host : {"192.0.2.1", "no.such.host.invalid"}) {
        const auto opened = Listener::open(io, host, 0, PortUse::exclusive, [](TcpSocket) {});
        BOOST_REQUIRE(opened.has_error());
        BOOST_TEST((opened.error().code() == Code::invalid_params));
    }
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_it_hangs_up_on_newcomers_and_recovers) {
    boost::asio::io_context io(1);
    std::vector<TcpSocket> accepted;
    const auto listener =
        Listener::open(io, "127.0.0.1", 0, PortUse::exclusive, [&](TcpSocket socket) {
            accepted.push_back(std::move(socket));
        }).value();
    {
        RawClient first(io, listener->port());
        run_until(io, [&] { return accepted.size() == 1; });

        RawClient second(io, listener->port());
        std::vector<int> held;
        const FewFiles few(64);
        for (int fd = dup(0); fd >= 0; fd = dup(0)) held.push_back(fd);
        second.expect_end();
        BOOST_TEST(accepted.size() == 1U);
        for (const int fd : held) close(fd);
    }
    RawClient third(io, listener->port());
    run_until(io, [&] { return accepted.size() == 2; }, "a connection after recovery");
}

BOOST_AUTO_TEST_SUITE_END()
