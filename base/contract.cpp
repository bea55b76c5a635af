#include "base/contract.hpp"

#include <cstdio>
#include <cstdlib>

namespace rekey {

void contract_broken(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "event=contract.broken condition=\"%s\" file=%s line=%d\n", condition,
                 file, line);
    std::abort();
}

}  // namespace rekey
