#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "net/frame_scan.hpp"
#include "net_fixture.hpp"

using namespace rekey;
using namespace rekey::net;

namespace {

// Feeds `bytes` in pieces of `step`; whether the scan stayed content.
bool feed(FrameScan& scan, const std::string& bytes, std::size_t step) {
    bool content = true;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::string piece = bytes.substr(at, step);
        content = scan.feed(as_bytes(piece));
    }
    return content;
}

std::string message_of(std::size_t fragments, std::string_view payload) {
    std::string bytes = frame(kFirstText, payload);
    for (std::size_t i = 2; i < fragments; ++i) bytes += frame(kContinued, payload);
    return bytes + frame(kLast, payload);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frame_scan_tests)

BOOST_AUTO_TEST_CASE(counts_fragments_of_one_message_however_the_bytes_arrive) {
    const std::string long_payload(300, 'x');
    const std::string longer_payload(70'000, 'x');
    for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U, 1'000'000U}) {
        FrameScan scan(FrameScan::From::frames);
        BOOST_TEST(feed(scan, frame(kText, longer_payload), step));
        BOOST_TEST(feed(scan, message_of(limits::kMessageFragments, long_payload), step));
        BOOST_TEST(feed(scan, message_of(limits::kMessageFragments, ""), step));
        BOOST_TEST(!feed(scan, message_of(limits::kMessageFragments + 1, ""), step));
    }
}

BOOST_AUTO_TEST_CASE(control_frames_between_fragments_do_not_count) {
    FrameScan scan(FrameScan::From::frames);
    std::string bytes = frame(kFirstText, "a");
    for (int i = 0; i < 200; ++i) bytes += frame(kPing, "hi");
    BOOST_TEST(feed(scan, bytes + frame(kLast, "b"), 5));
}

BOOST_AUTO_TEST_CASE(a_clients_frames_begin_behind_the_http_answer) {
    for (const std::size_t step : {1U, 4U, 1'000'000U}) {
        FrameScan scan(FrameScan::From::http_response);
        const std::string http = "HTTP/1.1 101 X\r\nA: b\r\n\r\n";
        BOOST_TEST(feed(scan, http + message_of(limits::kMessageFragments, "a"), step));
        BOOST_TEST(!feed(scan, message_of(limits::kMessageFragments + 1, "a"), step));
    }
}

BOOST_AUTO_TEST_SUITE_END()
