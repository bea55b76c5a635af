#include "tests/kill/stage.hpp"

#include "tests/kill/admin.hpp"
#include "tests/kill/law.hpp"
#include "tests/kill/supervised.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <stdexcept>
#include <thread>

namespace rekey::testing {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kLookAgain{25};
constexpr std::size_t kLinesShown = 25;
constexpr const char* kAgentName = "one";

std::uint64_t number(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

std::string last_lines(const std::string& text) {
    std::size_t from = text.size();
    for (std::size_t line = 0; line <= kLinesShown && from != std::string::npos && from > 0; ++line)
        from = text.rfind('\n', from - 1);
    return text.substr(from == std::string::npos ? 0 : from);
}

class Stage {
  public:
    Stage(const Schedule& schedule, Counting counting)
        : schedule_(schedule),
          counting_(counting),
          server_orders_(schedule.server),
          agent_orders_(schedule.agent),
          evidence_{home_.file("server"), home_.file("agent/state.json"), {}},
          admin_(evidence_.data_dir) {
        std::filesystem::create_directory(home_.file("agent"));
    }

    void play();
    [[nodiscard]] Outcome outcome() && { return std::move(outcome_); }
    [[nodiscard]] std::string words_of_both() const;

  private:
    void start_server();
    void start_agent();
    void tend();
    void tend_server();
    void tend_agent();
    void note(Orders& orders);
    void until(const char* what, const std::function<bool()>& condition);

    [[nodiscard]] std::optional<json::object> look();

    void create();
    void enroll();
    void settle(std::uint64_t generation);
    void rotate();
    void recover();
    void end_another(const char* name, const char* method, Code over);
    void restart(std::unique_ptr<Supervised>& daemon, Orders& orders);
    [[nodiscard]] std::string count_file();
    void count_what_was_reached();

    const Schedule& schedule_;
    Counting counting_;
    TemporaryDirectory home_;
    Orders server_orders_;
    Orders agent_orders_;
    Evidence evidence_;
    std::unique_ptr<Supervised> server_;
    std::unique_ptr<Supervised> agent_;
    Admin admin_;
    std::string join_string_;
    std::string earlier_words_;
    unsigned lives_ = 0;
    Outcome outcome_;
};

std::string Stage::count_file() {
    if (counting_ == Counting::off) return {};
    return home_.file("reached-" + std::to_string(++lives_));
}

void Stage::start_server() {
    admin_.server_is_gone();
    server_ = std::make_unique<Supervised>(
        std::vector<std::string>{REKEYD_FAIL_PROGRAM, "--data-dir", evidence_.data_dir, "--listen",
                                 "127.0.0.1:" + std::to_string(admin_.port()), "--shards", "1"},
        std::map<std::string, std::string>{{"REKEY_ROTATION_TIMEOUT_SECONDS", "2"},
                                           {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                                           {"REKEY_HEARTBEAT_SECONDS", "5"},
                                           {"REKEY_DRAIN_SECONDS", "0"},
                                           {"REKEY_RATE_LIMIT_API_PER_MINUTE", "0"},
                                           {"REKEY_RATE_LIMIT_AUTH_PER_MINUTE", "0"}},
        std::string(), server_orders_, count_file());
}

void Stage::start_agent() {
    agent_ = std::make_unique<Supervised>(
        std::vector<std::string>{REKEY_AGENT_FAIL_PROGRAM, "run", "--state", evidence_.state_path},
        std::map<std::string, std::string>{}, std::string(), agent_orders_, count_file());
}

// A blow has landed: what was written until now is all there is.
void Stage::note(Orders& orders) {
    outcome_.landed.push_back(to_string(orders.next()));
    orders.landed();
    if (evidence_.agent_id.empty()) return;
    if (const std::string broken = law_broken(evidence_); !broken.empty())
        throw std::runtime_error("after " + outcome_.landed.back() + ": " + broken);
}

void Stage::tend_server() {
    if (!server_) return;
    switch (server_->look()) {
        case Fate::runs:
            return;
        case Fate::stopped:
            if (server_->resume_after(schedule_.stop_for)) note(server_orders_);
            return;
        case Fate::killed:
            if (!server_orders_.armed()) throw std::runtime_error("the server was killed unasked");
            earlier_words_ += "server, killed:\n" + last_lines(server_->process().output());
            note(server_orders_);
            return start_server();
        case Fate::ended:
            throw std::runtime_error("the server ended by itself");
    }
}

void Stage::tend_agent() {
    if (!agent_) return;
    switch (agent_->look()) {
        case Fate::runs:
            return;
        case Fate::stopped:
            if (agent_->resume_after(schedule_.stop_for)) note(agent_orders_);
            return;
        case Fate::killed:
            if (!agent_orders_.armed()) throw std::runtime_error("the agent was killed unasked");
            earlier_words_ += "agent, killed:\n" + last_lines(agent_->process().output());
            note(agent_orders_);
            return start_agent();
        case Fate::ended:
            throw std::runtime_error("the agent ended by itself");
    }
}

void Stage::tend() {
    tend_server();
    tend_agent();
}

void Stage::until(const char* what, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 2 * kPatience;
    for (;;) {
        tend();
        if (condition()) return;
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error(std::string("never came: ") + what);
        std::this_thread::sleep_for(kLookAgain);
    }
}

std::optional<json::object> Stage::look() {
    auto seen = admin_.result_of("agents.get", {{"agent_id", evidence_.agent_id}});
    if (!seen) return std::nullopt;
    return std::move(seen->as_object());
}

void Stage::create() {
    // The answer to a creation may be lost: then the agent is there already.
    until("the agent's record", [this] {
        const auto listed = admin_.result_of("agents.list", {{"name", kAgentName}});
        if (!listed) return false;
        const json::array& agents = listed->at("agents").as_array();
        if (agents.empty()) {
            static_cast<void>(admin_.ask("agents.create", {{"name", kAgentName}}));
            return false;
        }
        evidence_.agent_id = std::string(agents.at(0).at("agent_id").as_string());
        return true;
    });
    until("an enrollment code", [this] {
        const auto code =
            admin_.result_of("agents.enrollment_code", {{"agent_id", evidence_.agent_id}});
        if (code) join_string_ = std::string(code->at("join_string").as_string());
        return code.has_value();
    });
}

// With the same join string until it is done, as docs/agent.md says.
void Stage::enroll() {
    std::unique_ptr<Supervised> enrolling;
    const auto begin = [&] {
        enrolling = std::make_unique<Supervised>(
            std::vector<std::string>{REKEY_AGENT_FAIL_PROGRAM, "enroll", "--state",
                                     evidence_.state_path},
            std::map<std::string, std::string>{}, join_string_ + "\n", agent_orders_, count_file());
    };
    begin();
    until("the end of the enrollment", [&] {
        switch (enrolling->look()) {
            case Fate::runs:
                return false;
            case Fate::stopped:
                if (enrolling->resume_after(schedule_.stop_for)) note(agent_orders_);
                return false;
            case Fate::killed:
                note(agent_orders_);
                begin();
                return false;
            case Fate::ended:
                break;
        }
        if (enrolling->process().wait() == 0) return true;
        earlier_words_ += "enroll:\n" + last_lines(enrolling->process().output());
        begin();
        return false;
    });
}

void Stage::settle(std::uint64_t generation) {
    until("a settled agent", [&] {
        const auto seen = look();
        if (!seen || !seen->at("connected").as_bool() || seen->contains("pending")) return false;
        outcome_.generation = number(*seen, "generation");
        return outcome_.generation >= generation &&
               number(*seen, "activated_generation") == outcome_.generation;
    });
}

void Stage::rotate() {
    const std::uint64_t before = outcome_.generation;
    until("a rotation", [&] {
        const auto answer =
            admin_.ask("rotations.start", {{"agent_id", evidence_.agent_id}, {"force", true}});
        if (answer && answer->has_value()) return true;
        // The answer was lost, and it is done already.
        const auto seen = look();
        return seen && (number(*seen, "generation") > before || seen->contains("pending"));
    });
    settle(before + 1);
}

// No token of it is accepted any more; it comes back by its identity key, unasked.
void Stage::recover() {
    const std::uint64_t before = outcome_.generation;
    evidence_.may_be_barred = true;
    until("tokens that are barred", [&] {
        const auto answer =
            admin_.ask("agents.recover", {{"agent_id", evidence_.agent_id}, {"bar_tokens", true}});
        return answer && answer->has_value();
    });
    settle(before + 1);
    evidence_.may_be_barred = false;
}

// Whom nobody needs: so that the file beside the database is written too. Wherever it is cut off,
// it is asked for again, or went on by itself: `over` is what a call hears of it then.
void Stage::end_another(const char* name, const char* method, Code over) {
    std::string agent_id;
    until("another agent", [&] {
        const auto listed = admin_.result_of("agents.list", {{"name", name}});
        if (!listed) return false;
        const json::array& agents = listed->at("agents").as_array();
        if (!agents.empty()) agent_id = std::string(agents.at(0).at("agent_id").as_string());
        if (agents.empty()) static_cast<void>(admin_.ask("agents.create", {{"name", name}}));
        return !agents.empty();
    });
    until("the end of another agent", [&] {
        const auto answer = admin_.ask(method, {{"agent_id", agent_id}});
        return answer && (answer->has_value() || answer->error().code() == over);
    });
}

// SIGTERM, which a blow may overtake, and the next life.
void Stage::restart(std::unique_ptr<Supervised>& daemon, Orders& orders) {
    const bool server = &daemon == &server_;
    const std::unique_ptr<Supervised> leaving = std::move(daemon);
    leaving->process().signal(SIGTERM);
    until("an end after SIGTERM", [&] {
        const Fate fate = leaving->look();
        if (fate == Fate::stopped) {
            if (leaving->resume_after(schedule_.stop_for)) note(orders);
            return false;
        }
        if (fate == Fate::killed) note(orders);
        return fate == Fate::killed || fate == Fate::ended;
    });
    if (server)
        start_server();
    else
        start_agent();
}

void Stage::play() {
    const auto began = std::chrono::steady_clock::now();
    start_server();
    create();
    enroll();
    start_agent();
    settle(1);
    rotate();
    restart(agent_, agent_orders_);
    settle(outcome_.generation);
    recover();
    end_another("revoked", "agents.revoke", Code::wrong_state);
    end_another("deleted", "agents.delete", Code::not_found);
    restart(server_, server_orders_);
    settle(outcome_.generation);
    rotate();
    // The blow may have fallen just there; the law promises one more.
    rotate();
    restart(agent_, agent_orders_);
    settle(outcome_.generation);
    agent_->process().kill_hard();
    server_->process().kill_hard();
    if (const std::string broken = story_broken(evidence_); !broken.empty())
        throw std::runtime_error(broken);
    count_what_was_reached();
    outcome_.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
}

void Stage::count_what_was_reached() {
    for (unsigned life = 1; life <= lives_; ++life) {
        Reached counted;
        std::ifstream file(home_.file("reached-" + std::to_string(life)));
        for (std::string name; std::getline(file, name);) ++counted[name];
        for (const auto& [name, times] : counted)
            outcome_.reached[name] = std::max(outcome_.reached[name], times);
    }
}

std::string Stage::words_of_both() const {
    std::string words = earlier_words_;
    if (server_) words += "server:\n" + last_lines(server_->process().output());
    if (agent_) words += "agent:\n" + last_lines(agent_->process().output());
    return words;
}

}  // namespace

std::string to_string(const Order& order) {
    std::string text = order.point;
    if (order.hit > 1) text += ":" + std::to_string(order.hit);
    return order.blow == Blow::stop ? text + " (stop)" : text;
}

std::string to_string(const Schedule& schedule) {
    std::string text;
    for (const auto* orders : {&schedule.agent, &schedule.server})
        for (const Order& order : *orders)
            text.append(text.empty() ? "" : " + ").append(to_string(order));
    return text.empty() ? "nothing" : text;
}

Outcome play(const Schedule& schedule, Counting counting) {
    Stage stage(schedule, counting);
    std::string trouble;
    try {
        stage.play();
    } catch (const std::exception& problem) {
        trouble = std::string(problem.what()) + "\n" + stage.words_of_both();
    }
    Outcome outcome = std::move(stage).outcome();
    outcome.trouble = std::move(trouble);
    return outcome;
}

}  // namespace rekey::testing
