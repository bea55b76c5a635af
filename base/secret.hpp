#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rekey {

// Text that must not be seen: a token, an API key, a code, a private key in PEM. It is wiped when
// it dies, and nothing prints it: there is no conversion and no stream operator. `expose()` marks
// each place that needs the bytes, so that a reviewer finds them all by that word. Moves wipe their
// source.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string_view text) : text_(text) {}
    Secret(const Secret& other) = default;
    Secret& operator=(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    [[nodiscard]] std::string_view expose() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    [[nodiscard]] std::size_t size() const { return text_.size(); }
    void wipe() noexcept;

    // In constant time for equal lengths.
    friend bool operator==(const Secret& left, const Secret& right);

  private:
    std::string text_;
};

// Overwrites memory in a way that the compiler keeps.
void wipe_memory(void* data, std::size_t size) noexcept;
void wipe_string(std::string& text) noexcept;

// No core dumps and no debugger attach by other processes of the same user: a core would hold
// plaintext tokens (I12).
void forbid_core_dumps() noexcept;

}  // namespace rekey
