#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>

namespace rekey::agent {

// The join string: from `join_file` if it is not empty, else from REKEY_JOIN (which is then taken
// out of this process's environment), else from a prompt without echo when standard input is a
// terminal, else from standard input. Its first line, without the newline. `invalid_params` when
// there is none, or Ctrl-C at the prompt.
[[nodiscard]] Result<Secret> read_join_string(const std::string& join_file);

}  // namespace rekey::agent
