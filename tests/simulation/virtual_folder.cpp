#include "tests/simulation/virtual_folder.hpp"

#include <system_error>
#include <utility>

namespace rekey::simulation {
namespace {

WriteFailure failure(WriteStage stage, DiskStep step, int number) {
    return {stage, number,
            std::string(to_string(step)) + ": " + std::generic_category().message(number)};
}

}  // namespace

std::string_view to_string(DiskStep step) {
    switch (step) {
        case DiskStep::create:
            return "create";
        case DiskStep::write:
            return "write";
        case DiskStep::sync_file:
            return "fsync";
        case DiskStep::rename:
            return "rename";
        case DiskStep::sync_folder:
            return "fsync of the directory";
        case DiskStep::read:
            break;
    }
    return "read";
}

Result<Secret> VirtualFolder::read(const std::string& name) {
    if (const int number = hazard_(DiskStep::read); number != 0)
        return Error(Code::unavailable,
                     failure(WriteStage::before_rename, DiskStep::read, number).what);
    const Content content = visible(name);
    if (!content) return Error(Code::not_found, "no such file");
    return Secret(*content);
}

std::optional<WriteFailure> VirtualFolder::write(const std::string& name,
                                                 std::string_view content) {
    for (const DiskStep step :
         {DiskStep::create, DiskStep::write, DiskStep::sync_file, DiskStep::rename})
        if (const int number = hazard_(step); number != 0)
            return failure(WriteStage::before_rename, step, number);
    File& file = files_[name];
    file.visible = std::string(content);
    file.unsynced.push_back(file.visible);
    changed();
    if (const int number = hazard_(DiskStep::sync_folder); number != 0)
        return failure(WriteStage::after_rename, DiskStep::sync_folder, number);
    sync_folder();
    return std::nullopt;
}

Result<> VirtualFolder::sync(const std::string& name) {
    if (!visible(name)) return Error(Code::not_found, "no such file");
    for (const DiskStep step : {DiskStep::sync_file, DiskStep::sync_folder})
        if (const int number = hazard_(step); number != 0)
            return Error(Code::unavailable, failure(WriteStage::after_rename, step, number).what);
    sync_folder();
    return {};
}

void VirtualFolder::remove(const std::string& name) {
    const auto found = files_.find(name);
    if (found == files_.end() || !found->second.visible) return;
    found->second.visible.reset();
    found->second.unsynced.emplace_back();
    changed();
}

void VirtualFolder::sync_folder() {
    if (syncs_ == Syncs::forgotten) return;
    for (auto& [name, file] : files_) {
        file.durable = file.visible;
        file.unsynced.clear();
    }
    changed();
}

VirtualFolder::Content VirtualFolder::visible(const std::string& name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? Content{} : found->second.visible;
}

std::vector<VirtualFolder::Content> VirtualFolder::outcomes(const File& file) const {
    std::vector<Content> found{file.durable};
    for (const Content& content : file.unsynced) {
        found.push_back(content);
        // Renamed, but the bytes had not all arrived.
        if (syncs_ == Syncs::forgotten && content)
            found.push_back(content->substr(0, content->size() / 2));
    }
    return found;
}

std::vector<VirtualFolder::Content> VirtualFolder::outcomes(const std::string& name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? std::vector<Content>{Content{}} : outcomes(found->second);
}

VirtualFolder::Snapshot VirtualFolder::snapshot() const {
    Snapshot contents;
    for (const auto& [name, file] : files_) contents[name] = file.visible;
    return contents;
}

void VirtualFolder::roll_back(const Snapshot& snapshot) {
    files_.clear();
    for (const auto& [name, content] : snapshot)
        files_[name] = File{.visible = content, .durable = content, .unsynced = {}};
    changed();
}

void VirtualFolder::lose_power(Dice& dice) {
    for (auto& [name, file] : files_) {
        const auto possible = outcomes(file);
        file.durable = possible[dice.between(0, possible.size() - 1)];
        file.visible = file.durable;
        file.unsynced.clear();
    }
    changed();
}

Result<Secret> VirtualDisk::read() {
    const bool after_write = std::exchange(just_written_, false);
    auto content = folder_.read(name_);
    if (content.has_value() && after_write && readback_differs && readback_differs())
        return Secret(std::string(content->expose()) + " ");
    return content;
}

std::optional<WriteFailure> VirtualDisk::write(const Secret& content) {
    just_written_ = true;
    return folder_.write(name_, content.expose());
}

Result<> VirtualDisk::remove() {
    folder_.remove(name_);
    return {};
}

}  // namespace rekey::simulation
