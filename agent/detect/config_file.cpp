#include "agent/detect/config_file.hpp"

#include "base/limits.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace rekey::agent::detect {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return number_; }

  private:
    int number_;
};

}  // namespace

Result<std::optional<std::string>> read_config(const std::string& path) {
    using Text = std::optional<std::string>;
    // Not blocking, because a FIFO without a writer would wait for ever.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return Text();
        if (errno == ELOOP) return Error(Code::permission_denied, "is a symbolic link");
        return Error(Code::unavailable, std::strerror(errno));
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return Error(Code::unavailable, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return Error(Code::invalid_params, "is no regular file");
    std::string text;
    std::array<char, 64UL * 1024UL> piece{};
    for (;;) {
        const ssize_t read = ::read(file.get(), piece.data(), piece.size());
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return Error(Code::unavailable, std::strerror(errno));
        if (read == 0) return Text(std::move(text));
        text.append(piece.data(), static_cast<std::size_t>(read));
        if (text.size() > limits::kClientConfigBytes)
            return Error(Code::invalid_params, "is larger than what is read");
    }
}

}  // namespace rekey::agent::detect
