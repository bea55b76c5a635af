#pragma once

#include <cstdint>
#include <span>

namespace rekey {

// The only source of randomness. A test or a simulation gives a seeded one.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;

    // Uniform in [low, high], both included.
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high);
    // Uniform in [0, 1).
    [[nodiscard]] double unit();
};

// The operating system's, through OpenSSL's per-thread generator. Safe from any thread.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override;
};

// Reproducible from its seed (xoshiro256**); for tests, benches and jitter in simulations, never
// for keys. One thread.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed);
    void fill(std::span<std::uint8_t> bytes) override;

  private:
    std::uint64_t next();
    std::uint64_t state_[4];
};

}  // namespace rekey
