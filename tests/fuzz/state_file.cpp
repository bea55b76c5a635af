#include "agent/state.hpp"
#include "tests/fuzz/input.hpp"

// An agent's state file, torn, altered or from elsewhere. It is read strictly: what is taken is
// what would have been written.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    using fuzz::must;
    const auto state = agent::decode_state(Secret(fuzz::text_of(data, size)));
    if (state.has_error()) {
        must(state.error().code() == Code::corrupt);
        return 0;
    }
    const auto again = agent::decode_state(agent::encode_state(*state));
    must(again.has_value() && *again == *state);
    return 0;
}
