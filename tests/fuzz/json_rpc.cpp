#include "protocol/json_rpc.hpp"

#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"
#include "tests/fuzz/input.hpp"

#include <string>

// The envelope, as POST /rpc and the sockets read it.
namespace {

using namespace rekey;
using fuzz::must;

void one_message(const boost::json::value& document) {
    const protocol::Message message = protocol::read_message(document);
    std::string answer;
    if (const auto* request = std::get_if<protocol::Request>(&message)) {
        if (!request->id) return;
        protocol::append_result(answer, *request->id, std::string_view("{}"));
    } else if (const auto* invalid = std::get_if<protocol::InvalidMessage>(&message)) {
        protocol::append_error(answer, invalid->id, invalid->error);
    } else {
        return;
    }
    // Whatever came in, what goes out is JSON with an id that is one.
    const auto again = protocol::parse_json(answer);
    must(again.has_value() && again->as_object().contains("id"));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document = protocol::parse_json(fuzz::text_of(data, size));
    if (document.has_error()) {
        must(document.error().code() == Code::parse_error ||
             document.error().code() == Code::invalid_request);
        return 0;
    }
    std::string written;
    protocol::append_json_value(written, *document);
    // What is written is one JSON text again. Numbers may be written longer than they came.
    must(protocol::parse_json(written, {}, 64 * limits::kMessageBytes).has_value());
    one_message(*document);
    if (const auto entries = protocol::read_batch(*document); entries.has_value())
        for (const auto& entry : **entries) one_message(entry);
    return 0;
}
