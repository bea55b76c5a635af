#include "net/io_timers.hpp"

#include "net/io.hpp"

namespace rekey::net {
namespace {

// The completion may be queued already when the handle dies: it then finds the callback gone.
struct Pending {
    Pending(boost::asio::io_context& context, std::function<void()> what)
        : timer(context.get_executor()), callback(std::move(what)) {}
    IoTimer timer;
    std::function<void()> callback;
};

class IoHandle final : public Timers::Handle {
  public:
    explicit IoHandle(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
    ~IoHandle() override {
        pending_->callback = nullptr;
        pending_->timer.cancel();
    }
    IoHandle(const IoHandle&) = delete;
    IoHandle& operator=(const IoHandle&) = delete;

  private:
    std::shared_ptr<Pending> pending_;
};

}  // namespace

std::unique_ptr<Timers::Handle> IoTimers::after(Milliseconds delay,
                                                std::function<void()> callback) {
    auto pending = std::make_shared<Pending>(context_, std::move(callback));
    pending->timer.expires_after(delay);
    pending->timer.async_wait([pending](const boost::system::error_code& error) {
        if (error || !pending->callback) return;
        // Moved out first: the callback may destroy the handle, which clears it.
        const std::function<void()> run = std::move(pending->callback);
        pending->callback = nullptr;
        run();
    });
    return std::make_unique<IoHandle>(std::move(pending));
}

}  // namespace rekey::net
