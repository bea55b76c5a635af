#pragma once

#include "base/result.hpp"
#include "storage/store.hpp"
#include "storage/store_async.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>

// g++ 12 takes the frame allocator of every Asio coroutine for a mistake once it is inlined (GCC
// bug 103993); from here on, in whatever includes this.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

// Coroutines of the admin door: they live on one shard's thread and come back to it after every
// wait.
namespace rekey::server::rpc {

using Executor = boost::asio::io_context::executor_type;
template <class T>
using Task = boost::asio::awaitable<T, Executor>;

// Waits for a callback. `start` gets a copyable callable that takes the T once, on any thread. One
// that is never called leaves the coroutine parked until its io_context goes.
template <class T, class Start>
[[nodiscard]] Task<T> await_callback(Start start) {
    auto executor = co_await boost::asio::this_coro::executor;
    auto initiate = [executor, &start](auto handler) {
        using Handler = decltype(handler);
        auto waiting = std::make_shared<Handler>(std::move(handler));
        start([waiting, executor](T value) {
            boost::asio::post(executor, [waiting, value = std::move(value)]() mutable {
                Handler resume = std::move(*waiting);
                resume(std::move(value));
            });
        });
    };
    const boost::asio::use_awaitable_t<Executor> token;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                   void(T)>(std::move(initiate), token);
}

// What a transaction answers. `unit` runs on a thread of the store, a write perhaps twice: it takes
// what it needs by value.
template <class T, class Unit>
[[nodiscard]] Task<Result<T>> write_to(storage::Store& store, Unit unit) {
    auto start = [&store, &unit](auto answer) {
        storage::write_as<T>(
            store, [](auto action) { action(); }, std::move(unit), std::move(answer));
    };
    co_return co_await await_callback<Result<T>>(std::move(start));
}

template <class T, class Unit>
[[nodiscard]] Task<Result<T>> read_from(storage::Store& store, Unit unit) {
    auto start = [&store, &unit](auto answer) {
        storage::read_as<T>(
            store, [](auto action) { action(); }, std::move(unit), std::move(answer));
    };
    co_return co_await await_callback<Result<T>>(std::move(start));
}

// Runs a task to its end, unwatched. An exception that escapes is a bug of ours and ends the
// process.
inline void spawn(const Executor& executor, Task<void> task) {
    boost::asio::co_spawn(executor, std::move(task), [](const std::exception_ptr& escaped) {
        if (escaped) std::rethrow_exception(escaped);
    });
}

}  // namespace rekey::server::rpc
