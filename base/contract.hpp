#pragma once

// A condition that only a bug of ours can break. Stays on in release: going on with a broken
// invariant is worse than a restart, because every transition is durable before it is told to
// anybody.
#define REKEY_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::rekey::contract_broken(#condition, __FILE__, __LINE__))

namespace rekey {

[[noreturn]] void contract_broken(const char* condition, const char* file, int line) noexcept;

}  // namespace rekey
