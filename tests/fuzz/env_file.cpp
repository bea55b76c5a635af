#include "server/config/env_file.hpp"

#include "tests/fuzz/input.hpp"

// A file of variables: names are names, values hold no line end, and a refusal does not tell the
// line, which may hold a secret.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using rekey::fuzz::must;
    const auto variables =
        rekey::server::config::parse_env(rekey::fuzz::text_of(data, size), "FILE");
    if (variables.has_error()) {
        must(variables.error().message().starts_with("FILE:"));
        must(variables.error().message().size() < 120);
        return 0;
    }
    for (const auto& [name, value] : *variables) {
        must(!name.empty() && name.find_first_of("= \n") == std::string::npos);
        must(value.find('\n') == std::string::npos);
    }
    return 0;
}
