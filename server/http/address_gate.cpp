#include "server/http/address_gate.hpp"

#include "protocol/join_string.hpp"
#include "server/rpc/failure_limiter.hpp"

#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace rekey::server::http {
namespace {

class Uncounted final : public net::HttpPlace {
  public:
    void credential_was_good() override {}
};

}  // namespace

// Lives as long as its last place.
struct AddressGate::Shared {
    struct Address {
        std::list<Place*> strangers;  // the oldest first
        std::list<Place*> known;      // whose credential was good the longest ago first
        [[nodiscard]] std::size_t count() const { return strangers.size() + known.size(); }
    };
    explicit Shared(std::size_t most) : limit(most) {}

    const std::size_t limit;
    std::mutex mutex;
    std::unordered_map<std::string, Address> addresses;  // those that have a place
};

class AddressGate::Place final : public net::HttpPlace {
  public:
    Place(std::shared_ptr<Shared> shared, std::string address, std::function<void()> give_way)
        : shared_(std::move(shared)),
          address_(std::move(address)),
          give_way_(std::move(give_way)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ~Place() override {
        const std::lock_guard lock(shared_->mutex);
        if (standing_ == Standing::none) return;
        const auto found = shared_->addresses.find(address_);
        (standing_ == Standing::known ? found->second.known : found->second.strangers).erase(at_);
        if (found->second.count() == 0) shared_->addresses.erase(found);
    }

    void credential_was_good() override {
        const std::lock_guard lock(shared_->mutex);
        if (standing_ == Standing::none) return;
        Shared::Address& held = shared_->addresses.find(address_)->second;
        auto& from = standing_ == Standing::known ? held.known : held.strangers;
        held.known.splice(held.known.end(), from, at_);
        standing_ = Standing::known;
    }

    // What tells another one to leave, if one has to; to be called when nothing is locked.
    [[nodiscard]] std::function<void()> take() {
        std::function<void()> displaced;
        const std::lock_guard lock(shared_->mutex);
        Shared::Address& held = shared_->addresses[address_];
        if (held.count() >= shared_->limit) {
            auto& those = held.strangers.empty() ? held.known : held.strangers;
            // It counts no longer, although it takes a moment to close.
            those.front()->standing_ = Standing::none;
            displaced = std::move(those.front()->give_way_);
            those.pop_front();
        }
        at_ = held.strangers.insert(held.strangers.end(), this);
        standing_ = Standing::stranger;
        return displaced;
    }

  private:
    enum class Standing : std::uint8_t { none, stranger, known };

    std::shared_ptr<Shared> shared_;
    std::string address_;
    // The rest is guarded by the shared mutex.
    std::function<void()> give_way_;
    Standing standing_ = Standing::none;
    std::list<Place*>::iterator at_;  // in the list of its standing
};

AddressGate::AddressGate(std::size_t limit) : shared_(std::make_shared<Shared>(limit)) {}

std::shared_ptr<net::HttpPlace> AddressGate::admit(const std::string& address,
                                                   std::function<void()> give_way) const {
    std::string counted = rpc::counted_address(address);
    if (protocol::is_loopback_host(address) || protocol::is_loopback_host(counted))
        return uncounted();
    auto place = std::make_shared<Place>(shared_, std::move(counted), std::move(give_way));
    if (const auto displaced = place->take()) displaced();
    return place;
}

std::shared_ptr<net::HttpPlace> AddressGate::uncounted() { return std::make_shared<Uncounted>(); }

}  // namespace rekey::server::http
