#include "cli/rotation_board.hpp"

#include "base/time_format.hpp"
#include "cli/console.hpp"
#include "cli/time_text.hpp"
#include "protocol/errors.hpp"

#include <fmt/format.h>

#include <utility>

namespace rekey::cli {

using protocol::RotationStatus;

namespace {

// What an agent said that it could not do, and cannot do a moment later either. It names
// candidate_unresolved just before it reconnects; and that an answer was late, lost or wrong (words
// of the server's own) may be over with the next one.
bool lasts(const std::string& reason) {
    const auto said = protocol::enum_from<protocol::RotationFailure>(reason);
    return said && *said != protocol::RotationFailure::candidate_unresolved;
}

void note_refusal(TrackedRotation& rotation, const protocol::StartedRotation& started) {
    rotation.start = TrackedRotation::Start::refused;
    rotation.not_before = started.not_before;
    if (rotation.not_before) {
        rotation.reason = fmt::format("not before {}", absolute_time(*rotation.not_before));
    } else if (started.error) {
        const Error error = protocol::error_from_body(*started.error, 0);
        rotation.reason = fmt::format("{}: {}", protocol::error_row(error.code()).name,
                                      printable(error.message()));
    }
}

}  // namespace

std::optional<Time> not_before_of(const Error& error) {
    const auto* value =
        error.details() == nullptr ? nullptr : error.details()->if_contains("not_before");
    if (value == nullptr || !value->is_string()) return std::nullopt;
    const auto time = parse_rfc3339(value->get_string());
    return time.has_value() ? std::optional(*time) : std::nullopt;
}

Progress progress_of(const TrackedRotation& rotation) {
    if (rotation.start == TrackedRotation::Start::refused) return Progress::not_started;
    switch (rotation.status) {
        case RotationStatus::activated:
            return Progress::done;
        case RotationStatus::at_next_connect:
            return Progress::at_next_connect;
        case RotationStatus::queued:
        case RotationStatus::offered:
        case RotationStatus::committed:
            return Progress::under_way;
        case RotationStatus::failing:
            return lasts(rotation.reason) ? Progress::failing : Progress::under_way;
        case RotationStatus::in_grace:
            return Progress::not_started;
        case RotationStatus::ended:
            break;
    }
    return Progress::failing;
}

void RotationBoard::add(const protocol::StartedRotation& started, std::string name,
                        boost::json::value json) {
    TrackedRotation rotation;
    rotation.agent_id = started.agent_id;
    rotation.name = std::move(name);
    rotation.rotation_id = started.rotation_id.value_or("");
    rotation.generation = started.generation;
    rotation.json = std::move(json);
    if (started.error || started.not_before || !started.status)
        note_refusal(rotation, started);
    else
        rotation.status = *started.status;
    if (!rotation.rotation_id.empty()) by_rotation_id_[rotation.rotation_id] = rotations_.size();
    rotations_.push_back(std::move(rotation));
}

TrackedRotation* RotationBoard::find(const std::string& rotation_id) {
    const auto found = by_rotation_id_.find(rotation_id);
    return found == by_rotation_id_.end() ? nullptr : &rotations_[found->second];
}

const TrackedRotation* RotationBoard::update(const protocol::RotationView& news,
                                             boost::json::value json) {
    TrackedRotation* rotation = find(news.rotation_id.value_or(""));
    if (rotation == nullptr) return nullptr;
    const Progress before = progress_of(*rotation);
    rotation->status = news.status;
    rotation->reason = printable(news.last_reason.value_or(""));
    rotation->json = std::move(json);
    return progress_of(*rotation) == before ? nullptr : rotation;
}

void RotationBoard::follow(const std::string& old_id, const protocol::PendingRotation& next) {
    TrackedRotation* rotation = find(old_id);
    if (rotation == nullptr) return;
    const std::size_t index = by_rotation_id_[old_id];
    by_rotation_id_.erase(old_id);
    by_rotation_id_[next.rotation_id] = index;
    rotation->rotation_id = next.rotation_id;
    rotation->generation = next.generation;
    rotation->status = RotationStatus::offered;
    rotation->reason.clear();
}

std::vector<std::string> RotationBoard::under_way() const {
    std::vector<std::string> ids;
    for (const TrackedRotation& rotation : rotations_)
        if (progress_of(rotation) == Progress::under_way && !rotation.rotation_id.empty())
            ids.push_back(rotation.rotation_id);
    return ids;
}

RotationCounts RotationBoard::counts() const {
    RotationCounts counts;
    counts.total = rotations_.size();
    for (const TrackedRotation& rotation : rotations_) {
        switch (progress_of(rotation)) {
            case Progress::done:
                ++counts.done;
                break;
            case Progress::at_next_connect:
                ++counts.at_next_connect;
                break;
            case Progress::under_way:
                ++counts.under_way;
                break;
            case Progress::failing:
                ++counts.failing;
                break;
            case Progress::not_started:
                ++counts.not_started;
                break;
        }
    }
    return counts;
}

std::string counts_text(const RotationCounts& counts) {
    std::string text = fmt::format("{} activated", counts.done);
    if (counts.at_next_connect != 0)
        text += fmt::format(", {} at the next connect", counts.at_next_connect);
    if (counts.under_way != 0) text += fmt::format(", {} under way", counts.under_way);
    if (counts.failing != 0) text += fmt::format(", {} failing", counts.failing);
    if (counts.not_started != 0) text += fmt::format(", {} not started", counts.not_started);
    return text;
}

}  // namespace rekey::cli
