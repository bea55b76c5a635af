#include "server/config/file.hpp"
#include "tests/fuzz/input.hpp"

// rekeyd's configuration file.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    const auto values = server::config::parse_config(fuzz::text_of(data, size), "rekeyd.toml");
    if (values.has_error()) {
        fuzz::must(values.error().code() == Code::invalid_params);
        fuzz::must(values.error().message().find("rekeyd.toml") != std::string::npos);
        return 0;
    }
    for (const auto& [name, value] : *values)
        fuzz::must(value.is_string() || value.is_bool() || value.is_number());
    return 0;
}
