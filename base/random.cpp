#include "base/random.hpp"

#include "base/contract.hpp"
#include "base/secret.hpp"

#include <openssl/rand.h>

#include <array>
#include <bit>
#include <cstring>

namespace rekey {
namespace {

// OpenSSL's generator costs the same for 16 bytes as for 500: draw a block and hand it out, wiping
// what was given.
struct Block {
    std::array<std::uint8_t, 512> bytes{};
    std::size_t used = 512;
    ~Block() { wipe_memory(bytes.data(), bytes.size()); }
};

}  // namespace

std::uint64_t Random::between(std::uint64_t low, std::uint64_t high) {
    REKEY_ASSERT(low <= high);
    const std::uint64_t span = high - low + 1;  // 0 stands for the whole range
    const std::uint64_t limit = span == 0 ? 0 : (0 - span) % span;
    for (;;) {
        std::array<std::uint8_t, 8> raw{};
        fill(raw);
        std::uint64_t value = 0;
        std::memcpy(&value, raw.data(), raw.size());
        if (span == 0) return value;
        if (value >= limit) return low + value % span;
    }
}

double Random::unit() { return static_cast<double>(between(0, (1ULL << 53U) - 1)) * 0x1.0p-53; }

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    if (bytes.empty()) return;
    thread_local Block block;
    if (bytes.size() > block.bytes.size()) {
        REKEY_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
        return;
    }
    if (block.bytes.size() - block.used < bytes.size()) {
        REKEY_ASSERT(RAND_bytes(block.bytes.data(), static_cast<int>(block.bytes.size())) == 1);
        block.used = 0;
    }
    std::uint8_t* from = block.bytes.data() + block.used;
    std::memcpy(bytes.data(), from, bytes.size());
    wipe_memory(from, bytes.size());
    block.used += bytes.size();
}

SeededRandom::SeededRandom(std::uint64_t seed) : state_{} {
    // splitmix64, as the authors of xoshiro advise, so that similar seeds give unrelated streams.
    for (auto& word : state_) {
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        word = z ^ (z >> 31U);
    }
}

std::uint64_t SeededRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        const std::uint64_t word = next();
        std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, bytes.size() - at));
    }
}

}  // namespace rekey
