#pragma once

#include <string>

namespace rekey::protocol {

// docs/methods.md: every method of the catalog with its params and result, in Markdown. A test
// compares the two; with REKEY_WRITE_REFERENCE set it writes the file instead.
[[nodiscard]] std::string methods_reference();

}  // namespace rekey::protocol
