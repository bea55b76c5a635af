#include "server/http/client_address.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using server::http::ForwardingHeader;
using server::http::TrustedProxies;

namespace {

TrustedProxies trusting(std::string_view text,
                        ForwardingHeader header = ForwardingHeader::x_forwarded_for) {
    return TrustedProxies::parse(text, header).value();
}

std::string client(std::string_view trusted, const std::string& peer,
                   const std::vector<std::pair<std::string, std::string>>& sent,
                   ForwardingHeader header = ForwardingHeader::x_forwarded_for) {
    net::HttpHeaders headers;
    for (const auto& [name, value] : sent) headers.add(name, value);
    return trusting(trusted, header).client_of(peer, headers);
}
std::string by_x(const std::string& value, std::string_view trusted = "10.0.0.0/8") {
    return client(trusted, "10.0.0.1", {{"X-Forwarded-For", value}});
}
std::string by_forwarded(const std::string& value, std::string_view trusted = "10.0.0.0/8") {
    return client(trusted, "10.0.0.1", {{"Forwarded", value}}, ForwardingHeader::forwarded);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_address_tests)

BOOST_AUTO_TEST_CASE(networks_hold_what_they_name) {
    const auto proxies = trusting("10.0.0.0/8, 192.0.2.1  2001:db8::/33 172.16.0.0/12");
    for (const char* in : {"10.0.0.1", "10.255.255.255", "192.0.2.1", "2001:db8:7fff::1",
                           "::ffff:10.1.2.3", "172.31.255.255"})
        BOOST_TEST(proxies.contains(in), in);
    for (const char* out : {"11.0.0.1", "192.0.2.2", "2001:db8:8000::1", "172.32.0.0", "", "a name",
                            "::10.1.2.3", "10.0.0.1%eth0"})
        BOOST_TEST(!proxies.contains(out), out);
    BOOST_TEST(trusting("0.0.0.0/0").contains("198.51.100.1"));
    BOOST_TEST(!trusting("0.0.0.0/0").contains("2001:db8::1"));
    BOOST_TEST(trusting("::/0").contains("2001:db8::1"));
    BOOST_TEST(trusting("").empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_network_is_refused_by_its_text) {
    for (const char* wrong :
         {"proxy.example.com", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "/8", "10.0.0.0/-1",
          "10.0.0.0/8x", "2001:db8::/129", "2001:db8::1/64", "fe80::1%eth0", "10.0.0"}) {
        const auto parsed = TrustedProxies::parse("127.0.0.1," + std::string(wrong));
        BOOST_REQUIRE_MESSAGE(parsed.has_error(), wrong);
        BOOST_TEST((parsed.error().code() == Code::invalid_params));
        BOOST_TEST(parsed.error().message().find(wrong) != std::string::npos);
    }
    std::string many;
    for (int i = 0; i <= 256; ++i) many += "10.0.0." + std::to_string(i % 256) + ",";
    BOOST_TEST(TrustedProxies::parse(many).has_error());
}

BOOST_AUTO_TEST_CASE(nobody_else_is_believed) {
    for (const char* header : {"X-Forwarded-For", "Forwarded"}) {
        BOOST_TEST(client("10.0.0.0/8", "192.0.2.5", {{header, "198.51.100.1"}}) == "192.0.2.5");
        BOOST_TEST(client("", "10.0.0.1", {{header, "198.51.100.1"}}) == "10.0.0.1");
    }
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1", {}) == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(the_rightmost_that_is_no_proxy_is_the_client) {
    BOOST_TEST(by_x("198.51.100.1") == "198.51.100.1");
    BOOST_TEST(by_x("1.1.1.1, 198.51.100.1, 10.0.0.9") == "198.51.100.1");
    BOOST_TEST(by_x("198.51.100.1:4711,10.0.0.9") == "198.51.100.1");
    BOOST_TEST(by_x("2001:db8::1") == "2001:db8::1");
    BOOST_TEST(by_x("[2001:DB8:0::1]:443") == "2001:db8::1");
    BOOST_TEST(by_x("::ffff:198.51.100.1") == "198.51.100.1");
    // Nobody but proxies: the farthest.
    BOOST_TEST(by_x("10.0.0.3, 10.0.0.2") == "10.0.0.3");
    // Several lines are one list.
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1",
                      {{"x-forwarded-for", "1.1.1.1"}, {"X-Forwarded-For", "198.51.100.1"}}) ==
               "198.51.100.1");
}

BOOST_AUTO_TEST_CASE(forwarded_is_read_as_rfc_7239_writes_it) {
    BOOST_TEST(by_forwarded("for=192.0.2.43") == "192.0.2.43");
    BOOST_TEST(by_forwarded("For=\"[2001:db8:cafe::17]:4711\"") == "2001:db8:cafe::17");
    BOOST_TEST(by_forwarded("for=192.0.2.60;proto=http;by=203.0.113.43") == "192.0.2.60");
    BOOST_TEST(by_forwarded("for=1.1.1.1, proto=https;FOR=198.51.100.17 , for=10.0.0.7") ==
               "198.51.100.17");
    BOOST_TEST(by_forwarded("for=192.0.2.1;host=\"a, for=6.6.6.6\"") == "192.0.2.1");
    BOOST_TEST(by_forwarded("for=\"192.0.2.1:80\\80\"") == "192.0.2.1");
}

// What the client wrote on the left does not matter, whatever it is; what a proxy wrote has to be
// readable.
BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_the_proxys_own) {
    for (const char* bad : {"unknown", "_hidden", "", " ", "198.51.100.1,", "198.51.100.1:x",
                            "198.51.100", "[198.51.100.1]", "[2001:db8::1", "[2001:db8::1]x",
                            "2001:db8::1%eth0", "198.51.100.1 198.51.100.2"})
        BOOST_TEST(by_x(bad) == "10.0.0.1", bad);
    for (const char* bad :
         {"for=unknown", "for=_gazonk", "proto=http", "for=198.51.100.1;for=198.51.100.2",
          "for=\"198.51.100.1", "for=\"", "for=198.51.100.1\"\"", "198.51.100.1", "for="})
        BOOST_TEST(by_forwarded(bad) == "10.0.0.1", bad);
    BOOST_TEST(by_x("unknown, 198.51.100.1, 10.0.0.2") == "198.51.100.1");
    BOOST_TEST(by_forwarded("for=\"_x;y\", for=198.51.100.1") == "198.51.100.1");
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1",
                      {{"Forwarded", "for=\"1.1.1.1"}, {"Forwarded", "for=198.51.100.1"}},
                      ForwardingHeader::forwarded) == "198.51.100.1");
    std::string hops = "198.51.100.1";
    for (int i = 0; i < 31; ++i) hops += ",10.0.0.2";
    BOOST_TEST(by_x(hops) == "198.51.100.1");
    BOOST_TEST(by_x(hops + ",10.0.0.2") == "10.0.0.1");
}

// A client that opens a quotation and leaves it open does not hide behind the proxy: what the proxy
// appends is read as if it stood alone.
BOOST_AUTO_TEST_CASE(what_a_client_leaves_open_swallows_nothing_of_a_proxys) {
    for (const char* left :
         {"\"", "\"\"\"", "\\", "\"\\", "for=\"", "\"6.6.6.6", "6.6.6.6, \"", "\"6.6.6.6\\\"", ",",
          "\", 6.6.6.6", "6.6.6.6;x=\"", "for=6.6.6.6;x=\"", "for=6.6.6.6;x=\"\\",
          "for=6.6.6.6, for=\"a, b", "for=\"\"\""}) {
        const std::string line(left);
        for (const char* behind : {"198.51.100.1", "198.51.100.1, 10.0.0.2", "198.51.100.1:80"})
            BOOST_TEST(by_x(line + ", " + behind) == "198.51.100.1", line << ", " << behind);
        for (const char* behind :
             {"for=198.51.100.1", "for=\"198.51.100.1:80\"", "for=198.51.100.1:80",
              "for=198.51.100.1, for=\"10.0.0.2\"", "for=198.51.100.1;host=\"a, for=6.6.6.6\"",
              "proto=https;for=198.51.100.1;host=\"\\\", for=6.6.6.6;x=\\\"\"",
              "for=198.51.100.1;host=\"a,for=6.6.6.6;x=\";by=\"b\"",
              "for=198.51.100.1;host=\"a\\\"b\";proto=http"})
            BOOST_TEST(by_forwarded(line + ", " + behind) == "198.51.100.1",
                       line << ", " << behind);
    }
    BOOST_TEST(by_x("\"198.51.100.1\"") == "10.0.0.1");
    // So many commas are in no quotation of a proxy's.
    BOOST_TEST(by_forwarded("for=6.6.6.6;host=\"" + std::string(64, ',') + "\"") == "10.0.0.1");
}

// A proxy that writes one of them passes the other one on as the client made it up.
BOOST_AUTO_TEST_CASE(the_header_that_the_proxies_do_not_write_is_not_read) {
    const std::vector<std::pair<std::string, std::string>> both{
        {"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "198.51.100.1"}};
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1", both) == "198.51.100.1");
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1", both, ForwardingHeader::forwarded) == "6.6.6.6");
    BOOST_TEST(client("10.0.0.0/8", "10.0.0.1", {{"Forwarded", "for=6.6.6.6"}}) == "10.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()
