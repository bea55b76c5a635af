#pragma once

#include "base/hash.hpp"
#include "base/log.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "storage/store_async.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

// What every engine must pass: store_conformance_tests.cpp and table_conformance_tests.cpp run
// their cases once for each type in Engines. A new engine is a type with `open`, which starts it on
// the data it had before (none at first), and `close`.
namespace rekey::storage::testing {

inline constexpr auto kPatience = std::chrono::seconds(20);

// Wall time stands until a test moves it.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override { return Time(Milliseconds(now_ms_)); }
    [[nodiscard]] SteadyTime steady_now() const override {
        return SteadyTime(Milliseconds(now_ms_));
    }
    void advance(Milliseconds by) { now_ms_ += by.count(); }

  private:
    std::atomic<std::int64_t> now_ms_ = 1'800'000'000'000;
};

class SqliteEngine {
  public:
    void open(unsigned readers = 2) {
        store_ = open_sqlite_store({path(), clock, *log, readers, vfs});
    }
    void close() { store_.reset(); }
    Store& store() { return *store_; }
    [[nodiscard]] std::string path() const { return directory_.file("rekey.db"); }

    ManualClock clock;
    std::string vfs;
    std::unique_ptr<Log> log = make_silent_log();

  private:
    rekey::testing::TemporaryDirectory directory_;
    std::unique_ptr<Store> store_;
};

// Runs callables in order on one thread; the destructor waits for all of them.
class Worker {
  public:
    Worker() : thread_([this] { run(); }) {}
    ~Worker() {
        post({});
        thread_.join();
    }
    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(work));
        wake_.notify_one();
    }

  private:
    void run() {
        for (;;) {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return !queue_.empty(); });
            const std::function<void()> work = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            if (!work) return;
            work();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    std::thread thread_;
};

class MemoryEngine {
  public:
    void open() {
        worker_ = std::make_unique<Worker>();
        store_ = std::make_unique<MemoryStore>(
            database_, MemoryOptions{.schedule = [this](std::function<void()> work) {
                worker_->post(std::move(work));
            }});
    }
    void close() {
        store_->stop();
        worker_.reset();
        store_.reset();
    }
    ~MemoryEngine() {
        if (store_) close();
    }
    Store& store() { return *store_; }

    ManualClock clock;

  private:
    std::shared_ptr<MemoryDatabase> database_ = std::make_shared<MemoryDatabase>();
    std::unique_ptr<Worker> worker_;
    std::unique_ptr<Store> store_;
};

using Engines = std::tuple<SqliteEngine, MemoryEngine>;

template <class T>
Result<T> wait_for(std::future<Result<T>> answer) {
    BOOST_REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
    return answer.get();
}

inline std::future<Result<>> write_later(Store& store, Store::Unit unit) {
    auto answer = std::make_shared<std::promise<Result<>>>();
    store.write(std::move(unit), [answer](const Result<>& result) { answer->set_value(result); });
    return answer->get_future();
}

inline Result<> write_now(Store& store, Store::Unit unit) {
    return wait_for(write_later(store, std::move(unit)));
}

// A unit's typed result, read back in a transaction of its own.
template <class Unit>
auto read_now(Store& store, Unit unit) {
    using Value = decltype(unit(std::declval<Transaction&>()));
    auto answer = std::make_shared<std::promise<Value>>();
    read_as<typename Value::value_type>(
        store, [](auto work) { work(); }, std::move(unit),
        [answer](Value value) { answer->set_value(std::move(value)); });
    return wait_for(answer->get_future());
}

inline void require_ok(const Result<>& result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(),
                          (result.has_error() ? result.error().message() : std::string()));
}

inline void write_ok(Store& store, Store::Unit unit) {
    require_ok(write_now(store, std::move(unit)));
}

template <class T>
Code code_of(const Result<T>& result) {
    BOOST_REQUIRE(result.has_error());
    return result.error().code();
}

// Holds the writer in a unit, so that what is written until `release` waits and goes into one
// group.
class Gate {
  public:
    explicit Gate(Store& store) {
        auto entered = std::make_shared<std::promise<void>>();
        auto entering = entered->get_future();
        done_ = write_later(store, [entered, opened = opened_](Transaction&) -> Result<> {
            entered->set_value();
            opened->get_future().wait();
            return {};
        });
        BOOST_REQUIRE(entering.wait_for(kPatience) == std::future_status::ready);
    }
    ~Gate() {
        if (done_.valid()) opened_->set_value();
    }
    void release() {
        opened_->set_value();
        require_ok(wait_for(std::move(done_)));
    }

  private:
    std::shared_ptr<std::promise<void>> opened_ = std::make_shared<std::promise<void>>();
    std::future<Result<>> done_;
};

// Ids of fixed length that sort by their number, as UUIDv7 do by their time.
inline std::string id_of(unsigned number) {
    std::string digits = std::to_string(number);
    return "01980000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

inline AgentRow make_agent(unsigned number, std::string name = {}) {
    AgentRow row;
    row.agent_id = id_of(number);
    row.name = name.empty() ? "agent-" + std::to_string(number) : std::move(name);
    row.type = "daemon";
    return row;
}

// A row with every field set.
inline AgentRow make_full_agent(unsigned number) {
    const Time t0{Milliseconds(1'800'000'000'001)};
    AgentRow row = make_agent(number);
    row.owner = "ops";
    row.labels = {{"site", "paris"}, {"tier", "1"}};
    row.metadata = {{"note", "caf\u00e9"}, {"count", 3}, {"nested", {{"deep", true}}}};
    row.created_at = t0;
    row.updated_at = t0 + Milliseconds(1);
    row.last_seen_at = t0 + Milliseconds(2);
    row.enrolled_at = t0 + Milliseconds(3);
    row.identity_public_key = sha256("identity");
    row.hostname = "host-1";
    row.version = "0.1.0";
    row.rotation_count = 2;
    Credentials& credentials = row.credentials;
    credentials.status = AgentStatus::suspended;
    credentials.epoch = 4;
    credentials.next_generation = 4;
    credentials.activated_generation = 2;
    credentials.rotate_at = t0 + Milliseconds(4);
    credentials.current = CurrentToken{2, id_of(902), sha256("current"), t0, t0 + Milliseconds(5)};
    credentials.pending = PendingToken{
        3, id_of(903), sha256("pending"), Bytes{1, 0, 255}, t0 + Milliseconds(6), 7, "disk_full"};
    credentials.previous = PreviousToken{1, id_of(901), sha256("previous"), t0 + Milliseconds(8),
                                         t0 + Milliseconds(9)};
    credentials.requested =
        RotationRequest{RotationCause::emergency, "admin-1", t0 + Milliseconds(10)};
    row.last_address = "192.0.2.7";
    credentials.reuse_floor = 1;
    credentials.reuse = Sighting{t0 + Milliseconds(11), 1, "192.0.2.9", "192.0.2.7:5", {}};
    credentials.contested = Sighting{t0 + Milliseconds(12), 2, "2001:db8::1", "192.0.2.7:5",
                                     Sighting::Answer{id_of(904), RotationCause::emergency}};
    return row;
}

inline AuditEvent make_event(std::string action, std::string subject = "subject") {
    return {Time(Milliseconds(1'800'000'000'000)),
            "system",
            std::move(action),
            std::move(subject),
            "ok",
            {{"generation", 1}, {"ratio", 0.1}}};
}

// The whole chain, in pages.
inline std::vector<AuditRow> read_chain(Store& store) {
    std::vector<AuditRow> rows;
    for (;;) {
        const auto page = read_now(store, [&](Transaction& transaction) {
            return transaction.audit().query({.after_seq = rows.size()}, 100);
        });
        BOOST_REQUIRE(page.has_value());
        if (page->empty()) return rows;
        rows.insert(rows.end(), page->begin(), page->end());
    }
}

template <class Engine>
struct Opened : Engine {
    Opened() { Engine::open(); }
};

}  // namespace rekey::storage::testing
