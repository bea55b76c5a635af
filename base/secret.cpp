#include "base/secret.hpp"

#include <openssl/crypto.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <utility>

namespace rekey {

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe();
        text_ = other.text_;
    }
    return *this;
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        text_ = std::move(other.text_);
        other.wipe();
    }
    return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept { wipe_string(text_); }

bool operator==(const Secret& left, const Secret& right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.text_.data(), right.text_.data(), left.size()) == 0;
}

void wipe_memory(void* data, std::size_t size) noexcept { OPENSSL_cleanse(data, size); }

void wipe_string(std::string& text) noexcept {
    // The whole capacity: a moved-from small string keeps its old bytes behind its new length.
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

void forbid_core_dumps() noexcept {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace rekey
