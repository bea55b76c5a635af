#include "tests/model/row.hpp"

#include "base/contract.hpp"

namespace rekey::model {

using storage::RotationCause;

namespace {

std::uint8_t small(std::uint64_t generation) {
    REKEY_ASSERT(generation <= kNewestGeneration + 1);
    return static_cast<std::uint8_t>(generation);
}

template <class Row>
Token token_in(const Row& row) {
    if (!row) return {};
    const Token token = token_named(row->rotation_id);
    REKEY_ASSERT(row->token_hash == hash_of(token) && row->generation == token.generation());
    return token;
}

std::uint8_t is_over(const std::optional<Time>& expires_at) {
    REKEY_ASSERT(expires_at.has_value());
    return kNow >= *expires_at ? 1 : 0;
}

Time end_of_life(std::uint8_t expired) { return expired != 0 ? kNow : kNow + policy().token_life; }

}  // namespace

const server::rotation::Policy& policy() {
    static const server::rotation::Policy value{.token_life = std::chrono::days{7},
                                                .grace = std::chrono::minutes{5},
                                                .backoff_unit = std::chrono::seconds{60}};
    return value;
}

Time after_the_grace() { return kNow + policy().grace; }

Row::Row(const Credentials& from, std::uint8_t units)
    : status(from.status),
      next_generation(small(from.next_generation)),
      activated_generation(small(from.activated_generation)),
      current(token_in(from.current)),
      pending(token_in(from.pending)),
      previous(token_in(from.previous)),
      current_expired(from.current ? is_over(from.current->expires_at) : 0),
      previous_expired(from.previous ? is_over(from.previous->expires_at) : 0),
      in_grace(from.previous && from.previous->retire_after ? 1 : 0),
      reuse_floor(small(from.reuse_floor)),
      recoveries_left(units) {
    if (from.requested)
        wish = from.requested->cause == RotationCause::emergency ? Wish::emergency : Wish::admin;
}

Credentials Row::credentials() const {
    Credentials to;
    to.status = status;
    to.next_generation = next_generation;
    to.activated_generation = activated_generation;
    to.reuse_floor = reuse_floor;
    if (current.exists()) {
        to.current = storage::CurrentToken{.generation = current.generation(),
                                           .rotation_id = rotation_of(current),
                                           .token_hash = hash_of(current),
                                           .issued_at = kNow,
                                           .expires_at = end_of_life(current_expired)};
        to.rotate_at = kNow;
    }
    if (pending.exists())
        to.pending = storage::PendingToken{.generation = pending.generation(),
                                           .rotation_id = rotation_of(pending),
                                           .token_hash = hash_of(pending)};
    if (previous.exists()) {
        to.previous = storage::PreviousToken{.generation = previous.generation(),
                                             .rotation_id = rotation_of(previous),
                                             .token_hash = hash_of(previous),
                                             .expires_at = end_of_life(previous_expired)};
        if (in_grace != 0) to.previous->retire_after = after_the_grace();
    }
    if (wish != Wish::none)
        to.requested = storage::RotationRequest{
            .cause = wish == Wish::emergency ? RotationCause::emergency : RotationCause::admin,
            .actor = "admin",
            .requested_at = kNow};
    return to;
}

}  // namespace rekey::model
