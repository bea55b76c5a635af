#include "cli/rotation_watch.hpp"

#include "cli/retry.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rekey::cli {
namespace {

using namespace std::chrono_literals;
using protocol::RotationStatus;

// Up to this many are asked for one by one, more by pages of the list.
constexpr std::size_t kOneByOne = 8;
constexpr Milliseconds kFirstPause = 100ms;
constexpr Milliseconds kLongestPause = 1s;
// 300 calls a minute: half of what the default rate limit allows one key.
constexpr Milliseconds kPauseACall = 200ms;

class Watcher {
  public:
    Watcher(Context& context, RotationBoard& board, ProgressBar& bar)
        : context_(context), board_(board), bar_(bar) {}

    // How many calls it took.
    Result<std::size_t> ask() {
        calls_ = 0;
        const std::vector<std::string> ids = board_.under_way();
        if (ids.size() <= kOneByOne)
            REKEY_TRY(ask_one_by_one(ids));
        else
            REKEY_TRY(ask_by_pages(ids));
        return calls_;
    }

  private:
    Result<> ask_one_by_one(const std::vector<std::string>& ids) {
        for (const std::string& id : ids) {
            ++calls_;
            REKEY_TRY_ASSIGN(answer, call<protocol::RotationsGet>(context_.api, {id}));
            REKEY_TRY(take(answer.value, std::move(answer.json)));
        }
        return {};
    }

    // The newest come first, so what was started just now stands on the first pages. What others
    // started since then may have pushed some further down: these are asked for, a few at a time.
    Result<> ask_by_pages(const std::vector<std::string>& ids) {
        std::set<std::string> unseen(ids.begin(), ids.end());
        protocol::RotationsList::Params params;
        params.limit = static_cast<std::int64_t>(limits::kPageRows);
        const std::size_t pages = 2 + board_.all().size() / limits::kPageRows;
        for (std::size_t page = 0; page < pages && !unseen.empty(); ++page) {
            ++calls_;
            REKEY_TRY_ASSIGN(answer, call<protocol::RotationsList>(context_.api, params));
            auto& entries = answer.json.as_object()["rotations"].as_array();
            for (std::size_t i = 0; i < entries.size(); ++i) {
                const auto& view = answer.value.rotations[i];
                if (unseen.erase(view.rotation_id.value_or("")) == 0) continue;
                REKEY_TRY(take(view, std::move(entries[i])));
            }
            if (!answer.value.next_cursor) break;
            params.cursor = answer.value.next_cursor;
        }
        std::vector<std::string> rest(unseen.begin(), unseen.end());
        if (rest.size() > kOneByOne) rest.resize(kOneByOne);
        return ask_one_by_one(rest);
    }

    Result<> take(const protocol::RotationView& view, boost::json::value json) {
        const TrackedRotation* changed = board_.update(view, std::move(json));
        if (changed == nullptr) return {};
        if (changed->status == RotationStatus::ended) {
            REKEY_TRY_ASSIGN(followed, follow(*changed));
            if (followed) return {};
        }
        bar_.changed(*changed);
        return {};
    }

    // A rotation that the server replaced by a newer one (the agent held a higher generation) goes
    // on under another id; one that ended because the agent was revoked does not.
    Result<bool> follow(const TrackedRotation& ended) {
        ++calls_;
        REKEY_TRY_ASSIGN(agent, call<protocol::AgentsGet>(context_.api, {ended.agent_id}));
        const auto& pending = agent.value.summary.pending;
        if (!pending || pending->rotation_id == ended.rotation_id) return false;
        board_.follow(std::string(ended.rotation_id), *pending);
        return true;
    }

    Context& context_;
    RotationBoard& board_;
    ProgressBar& bar_;
    std::size_t calls_ = 0;
};

bool passes_by_itself(Code code) {
    return code == Code::unavailable || code == Code::overloaded || code == Code::rate_limited;
}

}  // namespace

Result<WatchEnd> watch(Context& context, RotationBoard& board, ProgressBar& bar,
                       std::chrono::seconds timeout) {
    Watcher watcher(context, board, bar);
    const SteadyTime start = context.clock.steady_now();
    const SteadyTime deadline = start + timeout;
    Milliseconds pause = kFirstPause;
    for (;;) {
        const SteadyTime now = context.clock.steady_now();
        bar.draw(board.counts(), now - start);
        if (board.under_way().empty()) return WatchEnd::settled;
        if (now >= deadline) return WatchEnd::timed_out;
        context.pause(std::min(pause, deadline - now));
        const auto calls = watcher.ask();
        if (calls.has_value()) {
            pause = std::max(std::min(pause * 3 / 2, kLongestPause),
                             kPauseACall * static_cast<std::int64_t>(*calls));
            continue;
        }
        const Error& error = calls.error();
        if (!passes_by_itself(error.code())) return error;
        bar.note(error_line(error));
        pause = wait_after(error);
    }
}

}  // namespace rekey::cli
