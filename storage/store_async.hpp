#pragma once

#include "storage/store.hpp"

#include <memory>
#include <utility>

// Typed use of the Store: `unit` returns Result<T>, and `handler` gets it where `post` puts it.
//   write_as<Offer>(store, post, [..](Transaction& t) -> Result<Offer> {..}, [..](Result<Offer>
//   offer) {..});
// `post` takes a callable and runs it later on the caller's thread: [ex](auto f) {
// boost::asio::post(ex, std::move(f)); } in the daemon, the event queue in a simulation.
namespace rekey::storage {

namespace detail {

template <class T, class Unit, class Post, class Handler>
auto prepare(Post post, Unit unit, Handler handler) {
    auto slot = std::make_shared<Result<T>>(Error(Code::internal, "the unit was not run"));
    Store::Unit run = [slot, unit = std::move(unit)](Transaction& transaction) mutable -> Result<> {
        *slot = unit(transaction);
        if (slot->has_error()) return slot->error();
        return {};
    };
    Store::Done done = [slot, post = std::move(post),
                        handler = std::move(handler)](const Result<>& result) mutable {
        if (result.has_error()) *slot = result.error();
        post([slot, handler = std::move(handler)]() mutable { handler(std::move(*slot)); });
    };
    return std::pair(std::move(run), std::move(done));
}

}  // namespace detail

template <class T, class Post, class Unit, class Handler>
void write_as(Store& store, Post post, Unit unit, Handler handler) {
    auto [run, done] = detail::prepare<T>(std::move(post), std::move(unit), std::move(handler));
    store.write(std::move(run), std::move(done));
}

template <class T, class Post, class Unit, class Handler>
void read_as(Store& store, Post post, Unit unit, Handler handler) {
    auto [run, done] = detail::prepare<T>(std::move(post), std::move(unit), std::move(handler));
    store.read(std::move(run), std::move(done));
}

// What a unit answers, read inside the call (Store::read_here).
template <class T, class Unit>
[[nodiscard]] Result<T> read_here_as(Store& store, const Unit& unit) {
    Result<T> answer = Error(Code::internal, "the unit was not run");
    // Two references: std::function holds that without an allocation.
    const Result<> done = store.read_here([&answer, &unit](Transaction& transaction) -> Result<> {
        answer = unit(transaction);
        return {};
    });
    if (done.has_error()) return done.error();
    return answer;
}

}  // namespace rekey::storage
