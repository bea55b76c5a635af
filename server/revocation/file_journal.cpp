#include "server/revocation/file_journal.hpp"

#include "base/durable_file.hpp"
#include "base/encoding.hpp"
#include "base/fail_point.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "base/time_format.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace rekey::server::revocation {
namespace {

constexpr std::size_t kSumDigits = 16;
constexpr std::string_view kRevoked = "v1";
constexpr std::string_view kDeleted = "v1-deleted";

std::string sum_of(std::string_view text) { return to_hex(sha256(text)).substr(0, kSumDigits); }

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
    throw StartupError("cannot use " + path + ": " + reason +
                           "; it says which agents were revoked, so rekeyd does not start without "
                           "it; restore it, or see docs/troubleshooting.md",
                       EX_IOERR);
}

std::string system_text(int error) { return std::generic_category().message(error); }

using Ends = std::unordered_map<std::string, End>;

// Is it news? An end that is as late, or later, stands.
bool note(Ends& ends, const Revocation& revocation) {
    const auto [at, is_new] = ends.emplace(revocation.agent_id, revocation.end);
    if (is_new) return true;
    if (at->second >= revocation.end) return false;
    at->second = revocation.end;
    return true;
}

struct Content {
    std::vector<Revocation> revocations;
    std::uint64_t length = 0;  // up to the end of the last whole line that is good
};

Content read_content(const std::string& path, const Log& log) {
    const auto text = read_file(path, limits::kRevocationJournalBytes);
    if (text.has_error()) refuse(path, text.error().message());
    Content content;
    std::uint64_t number = 0;
    std::vector<std::uint64_t> damaged;
    for (std::size_t begin = 0; begin < text->size();) {
        const std::size_t end = std::min(text->find('\n', begin), text->size() - 1) + 1;
        ++number;
        auto line = read_revocation_line(std::string_view(*text).substr(begin, end - begin));
        begin = end;
        if (!line) {
            damaged.push_back(number);
            continue;
        }
        // What is bad before a good line is no torn end of an append.
        for (const std::uint64_t bad : damaged)
            log.error("revocations.damaged", {{"file", path}, {"line", bad}});
        damaged.clear();
        content.revocations.push_back(*std::move(line));
        content.length = end;
    }
    if (!damaged.empty())
        log.warning("revocations.torn_end", {{"file", path}, {"line", damaged.front()}});
    return content;
}

}  // namespace

std::string revocation_line(const Revocation& revocation) {
    std::string line(revocation.end == End::deleted ? kDeleted : kRevoked);
    line.append(" ").append(to_rfc3339(revocation.revoked_at));
    line.append(" ").append(revocation.agent_id);
    line.append(" ").append(revocation.actor).append(" ");
    return line + sum_of(line) + "\n";
}

std::optional<Revocation> read_revocation_line(std::string_view line) {
    if (line.size() <= kSumDigits + 1 || line.back() != '\n') return std::nullopt;
    const std::string_view summed = line.substr(0, line.size() - kSumDigits - 1);
    if (line.substr(summed.size(), kSumDigits) != sum_of(summed)) return std::nullopt;
    std::array<std::string_view, 4> words;
    std::string_view rest = summed;
    for (std::string_view& word : words) {
        const std::size_t space = rest.find(' ');
        if (space == rest.npos || space == 0) return std::nullopt;
        word = rest.substr(0, space);
        rest.remove_prefix(space + 1);
    }
    const auto time = parse_rfc3339(words[1]);
    const bool deleted = words[0] == kDeleted;
    if ((!deleted && words[0] != kRevoked) || !rest.empty() || time.has_error())
        return std::nullopt;
    return Revocation{std::string(words[2]), *time, std::string(words[3]),
                      deleted ? End::deleted : End::revoked};
}

std::unique_ptr<FileJournal> FileJournal::open(const std::string& path, const Log& log) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
        if (const auto failure = write_durably(path, "")) refuse(path, failure->what);
    Content content = read_content(path, log);
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) refuse(path, system_text(errno));
    // Owned from here on.
    std::unique_ptr<FileJournal> journal(
        new FileJournal(path, log, descriptor, content.length, std::move(content.revocations)));
    return journal;
}

FileJournal::FileJournal(std::string path, const Log& log, int descriptor, std::uint64_t length,
                         std::vector<Revocation> found)
    : path_(std::move(path)),
      log_(log),
      descriptor_(descriptor),
      length_(length),
      found_(std::move(found)) {
    for (const Revocation& revocation : found_) note(held_, revocation);
    thread_ = std::thread([this] { run(); });
}

FileJournal::~FileJournal() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::close(descriptor_);
}

bool FileJournal::holds(std::string_view agent_id) const {
    const std::lock_guard lock(mutex_);
    return held_.contains(std::string(agent_id));
}

void FileJournal::append(Revocation revocation, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() < limits::kRevocationQueue) {
            queue_.push_back({std::move(revocation), std::move(done)});
            done = nullptr;
        }
    }
    if (done) return done(Error(Code::overloaded, "too many revocations wait for the disk"));
    wake_.notify_one();
}

void FileJournal::run() {
    for (;;) {
        std::vector<Waiting> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            batch.swap(queue_);
        }
        const Result<> written = write(batch);
        if (written.has_error())
            log_.error("revocations.not_written",
                       {{"file", path_}, {"error", written.error().message()}});
        for (const Waiting& one : batch) one.done(written);
    }
}

Result<> FileJournal::write(const std::vector<Waiting>& batch) {
    std::string text;
    Ends ends;
    {
        const std::lock_guard lock(mutex_);
        for (const Waiting& one : batch)
            if (const auto held = held_.find(one.revocation.agent_id); held != held_.end())
                ends.insert(*held);
        for (const Revocation& owed : owed_)
            if (const auto held = held_.find(owed.agent_id); held != held_.end())
                ends.insert(*held);
    }
    const auto add = [&](const Revocation& revocation) {
        if (!note(ends, revocation)) return false;
        text += revocation_line(revocation);
        return true;
    };
    for (const Revocation& revocation : owed_) add(revocation);
    std::vector<Revocation> added;
    for (const Waiting& one : batch)
        if (add(one.revocation)) added.push_back(one.revocation);
    auto written = text.empty() ? Result<>() : write_text(text);
    if (written.has_error()) {
        owed_.insert(owed_.end(), added.begin(), added.end());
        return written;
    }
    owed_.clear();
    const std::lock_guard lock(mutex_);
    for (const auto& [agent_id, end] : ends) held_.insert_or_assign(agent_id, end);
    return {};
}

// Always from the end of what is good: what an attempt before may have left behind is overwritten,
// or cut off.
Result<> FileJournal::write_text(const std::string& text) {
    const auto failed = [this](const char* call) {
        const int error = errno;
        // Best effort: until it succeeds, what is left is a torn end or a line that is true anyway.
        static_cast<void>(::ftruncate(descriptor_, static_cast<off_t>(length_)));
        return Error(Code::unavailable,
                     std::string(call) + " " + path_ + ": " + system_text(error));
    };
    if (length_ + text.size() > limits::kRevocationJournalBytes) {
        errno = EFBIG;
        return failed("write");
    }
    if (::ftruncate(descriptor_, static_cast<off_t>(length_)) != 0) return failed("truncate");
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t count = ::pwrite(descriptor_, text.data() + at, text.size() - at,
                                       static_cast<off_t>(length_ + at));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return failed("write");
        at += static_cast<std::size_t>(count);
    }
    fail_point::reached(fail_point::FileStep::write, path_);
    if (::fsync(descriptor_) != 0) return failed("fsync");
    fail_point::reached(fail_point::FileStep::fsync, path_);
    length_ += text.size();
    return {};
}

}  // namespace rekey::server::revocation
