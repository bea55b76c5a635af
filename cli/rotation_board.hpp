#pragma once

#include "cli/agent_names.hpp"
#include "protocol/methods/rotations.hpp"
#include "protocol/vocabulary.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rekey::cli {

// How far one agent's rotation has come, as it was last heard.
struct TrackedRotation {
    std::string agent_id;
    std::string name;  // printable
    // `refused`: the server did not start one (`reason` says why), so that there is nothing to wait
    // for.
    enum class Start : std::uint8_t { started, refused } start = Start::started;
    protocol::RotationStatus status = protocol::RotationStatus::offered;
    std::string rotation_id;  // empty while it waits for the agent's next connect
    std::optional<std::uint64_t> generation;
    std::optional<Time> not_before;  // of a refusal: the grace of the last rotation runs till then
    std::string reason;              // of a refusal or of the last failure; printable, may be empty
    boost::json::value json;         // as the server last described it
};

// What is left to wait for. An agent that is offline is served at its next connect, whenever that
// is, so nobody waits for it; one that said why it cannot take the token is offered it again with
// growing pauses, so it is not waited for either. All other troubles may pass and are waited out.
// What the server refused to start is over, too, and is told apart from what an agent failed to do.
enum class Progress : std::uint8_t { done, at_next_connect, under_way, failing, not_started };
[[nodiscard]] Progress progress_of(const TrackedRotation& rotation);

struct RotationCounts {
    std::size_t total = 0;
    std::size_t done = 0;
    std::size_t at_next_connect = 0;
    std::size_t under_way = 0;
    std::size_t failing = 0;
    std::size_t not_started = 0;
    friend bool operator==(const RotationCounts&, const RotationCounts&) = default;
};

// The rotations that one command waits for. No I/O.
class RotationBoard {
  public:
    // What rotations.start answered for one agent; `json` is that answer's entry.
    void add(const protocol::StartedRotation& started, std::string name, boost::json::value json);

    // News about rotation.rotation_id; of others nothing changes. The rotation whose progress
    // changed by it, else null.
    const TrackedRotation* update(const protocol::RotationView& news, boost::json::value json);
    // The rotation `old_id` ended because the server minted another for the same agent: that one is
    // waited for now.
    void follow(const std::string& old_id, const protocol::PendingRotation& next);

    [[nodiscard]] const std::vector<TrackedRotation>& all() const { return rotations_; }
    [[nodiscard]] std::vector<std::string> under_way() const;  // rotation ids
    [[nodiscard]] RotationCounts counts() const;

  private:
    TrackedRotation* find(const std::string& rotation_id);
    std::vector<TrackedRotation> rotations_;
    std::map<std::string, std::size_t> by_rotation_id_;
};

// Until when the grace of the last rotation lets no other one begin; none for other refusals.
[[nodiscard]] std::optional<Time> not_before_of(const Error& error);

// "28 activated, 1 at its next connect, 2 failing, 1 not started"; what is zero is left out.
[[nodiscard]] std::string counts_text(const RotationCounts& counts);

}  // namespace rekey::cli
