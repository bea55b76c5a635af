#pragma once

#include "storage/store.hpp"
#include "storage/store_async.hpp"

#include <future>
#include <utility>

// The store for a start, which has nothing else to do: blocks until the answer is there. Never on a
// shard's or the store's own thread.
namespace rekey::server::bootstrap {

template <class T, class Unit>
[[nodiscard]] Result<T> write_now(storage::Store& store, Unit unit) {
    std::promise<Result<T>> answer;
    storage::write_as<T>(
        store, [](auto action) { action(); }, std::move(unit),
        [&answer](Result<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
}

template <class T, class Unit>
[[nodiscard]] Result<T> read_now(storage::Store& store, Unit unit) {
    std::promise<Result<T>> answer;
    storage::read_as<T>(
        store, [](auto action) { action(); }, std::move(unit),
        [&answer](Result<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
}

}  // namespace rekey::server::bootstrap
