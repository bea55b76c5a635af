#include "tests/simulation/broken_promises.hpp"

#include <chrono>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;
using storage::MemoryDatabase;
using storage::Store;
using storage::Transaction;

namespace {

class WriteBehindDisk final : public agent::Disk {
  public:
    WriteBehindDisk(agent::Disk& under, testing::VirtualTime& time) : under_(under), time_(time) {}
    [[nodiscard]] std::string name() const override { return under_.name(); }
    [[nodiscard]] Result<Secret> read() override {
        return written_ ? Result<Secret>(*written_) : under_.read();
    }
    [[nodiscard]] std::optional<WriteFailure> write(const Secret& content) override {
        written_ = content;
        // Goes with the process, and what was to be written with it.
        later_ = time_.after(2s, [this] { static_cast<void>(under_.write(*written_)); });
        return std::nullopt;
    }
    [[nodiscard]] Result<> sync() override { return {}; }
    [[nodiscard]] Result<> remove() override { return under_.remove(); }

  private:
    agent::Disk& under_;
    testing::VirtualTime& time_;
    std::optional<Secret> written_;
    std::unique_ptr<Timers::Handle> later_;
};

// Both kinds of bad store keep an older copy of the database.
class CopyingStore : public Store {
  public:
    CopyingStore(std::unique_ptr<Store> under, std::shared_ptr<MemoryDatabase> database,
                 std::shared_ptr<MemoryDatabase> copy)
        : under_(std::move(under)), database_(std::move(database)), copy_(std::move(copy)) {}
    void write(Unit unit, Done done) override {
        under_->write(
            [this, unit = std::move(unit)](Transaction& transaction) {
                before_write();
                return unit(transaction);
            },
            std::move(done));
    }
    void read(Unit unit, Done done) override { under_->read(std::move(unit), std::move(done)); }
    Result<> read_here(const Unit& unit) override { return under_->read_here(unit); }
    void stop() override { under_->stop(); }

  protected:
    virtual void before_write() = 0;

    std::unique_ptr<Store> under_;
    std::shared_ptr<MemoryDatabase> database_;
    std::shared_ptr<MemoryDatabase> copy_;
};

class ForgetfulStore final : public CopyingStore {
  public:
    using CopyingStore::CopyingStore;

  private:
    void before_write() override {
        if (database_->audit.size() != copy_->audit.size()) *copy_ = *database_;
    }
};

class LaggingStore final : public CopyingStore {
  public:
    using CopyingStore::CopyingStore;
    void read(Unit unit, Done done) override {
        under_->read(
            [copy = copy_, unit = std::move(unit)](Transaction&) {
                Result<> outcome;
                storage::MemoryStore(copy).read(
                    unit, [&outcome](Result<> given) { outcome = std::move(given); });
                return outcome;
            },
            std::move(done));
    }

  private:
    static constexpr unsigned kWritesBehind = 20;
    void before_write() override {
        if (writes_++ % kWritesBehind == 0) *copy_ = *database_;
    }
    unsigned writes_ = 0;
};

}  // namespace

void let_syncs_be_forgotten(Options& options) { options.syncs = Syncs::forgotten; }

void let_agents_answer_before_they_save(Options& options) {
    options.spoil_disk = [](agent::Disk& disk, testing::VirtualTime& time) {
        return std::make_unique<WriteBehindDisk>(disk, time);
    };
}

void let_the_store_forget_its_last_commit(Options& options) {
    const auto copy = std::make_shared<MemoryDatabase>();
    options.spoil_store = [copy](std::unique_ptr<Store> store,
                                 const std::shared_ptr<MemoryDatabase>& database) {
        *copy = *database;
        return std::make_unique<ForgetfulStore>(std::move(store), database, copy);
    };
    options.spoil_after_crash = [copy](MemoryDatabase& database) { database = *copy; };
}

void let_reads_lag_behind(Options& options) {
    options.spoil_store = [](std::unique_ptr<Store> store,
                             const std::shared_ptr<MemoryDatabase>& database) {
        return std::make_unique<LaggingStore>(std::move(store), database,
                                              std::make_shared<MemoryDatabase>(*database));
    };
}

void let_revocations_be_restored_away(Options& options) {
    options.spoil_revocations = [](RevocationFile& file) { file.clear(); };
    options.season = revokes_and_restores;
}

}  // namespace rekey::simulation
