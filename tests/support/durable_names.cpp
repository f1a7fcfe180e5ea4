#include "tests/support/durable_names.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <unistd.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

FileId id_in(const struct stat& status) { return {status.st_dev, status.st_ino}; }

std::vector<char> load(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool survives(Remains remains, SeededRandom& random) {
    switch (remains) {
        case Remains::Nothing: return false;
        case Remains::Everything: return true;
        case Remains::APrefix:
        case Remains::ASubset:
        case Remains::ATornPrefix:
        case Remains::ATornSubset: return random.below(2) == 0;
    }
    return true;
}

// Everybody's folders, whose names are no business of a test.
bool is_shared(const fs::path& folder) {
    return folder == fs::temp_directory_path() || folder == "/dev/shm";
}

fs::path path_of(int descriptor) {
    std::error_code ec;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ec);
}

bool is_below(const fs::path& path, const fs::path& root) {
    return std::ranges::mismatch(root, path).in1 == root.end();
}

}  // namespace

std::optional<FileId> id_of(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
    return id_in(status);
}

void DurableNames::watch(const fs::path& folder, Now now) {
    if (!std::ranges::count(roots_, folder)) roots_.push_back(folder);
    if (now == Now::IsDurable) note_everything_in(folder);
}

bool DurableNames::is_watching(const fs::path& path) const {
    return std::ranges::any_of(roots_, [&](const auto& root) { return is_below(path, root); });
}

fs::path DurableNames::hold(const fs::path& file) {
    const auto id = id_of(file);
    if (!id) throw std::runtime_error("durable names: no file " + file.string());
    if (const auto known = held_.find(*id); known != held_.end()) return known->second;
    const auto folder = id_of(file.parent_path());
    auto& hold = holds_[folder ? folder->device : id->device];
    for (const auto& parent : {fs::temp_directory_path(), fs::path("/dev/shm")}) {
        if (!hold && folder && id_of(parent) && id_of(parent)->device == folder->device)
            hold = std::make_unique<TempDir>(parent);
    }
    if (!hold) throw std::runtime_error("durable names: no room beside " + file.string());
    auto name = *hold / std::to_string(id->inode);
    if (::link(file.c_str(), name.c_str()) != 0)
        throw std::runtime_error("durable names: cannot link " + file.string());
    return held_[*id] = name;
}

std::vector<char> DurableNames::govern(const FileId& file) {
    governed_.insert(file);
    const auto found = content_.extract(file);
    return found ? found.mapped() : std::vector<char>();
}

void DurableNames::synced(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return;
    const auto path = path_of(descriptor);
    if (S_ISDIR(status.st_mode)) {
        if (!is_shared(path)) note_folder(path);
    } else if (!is_governed(id_in(status))) {
        content_[id_in(status)] = load(path);
    }
}

void DurableNames::note_folder(const fs::path& folder) {
    const auto id = id_of(folder);
    if (!id) return;
    Names names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto entry_id = id_of(entry.path());
        if (!entry_id) continue;
        const bool is_folder = entry.is_directory();
        if (!is_folder) static_cast<void>(hold(entry.path()));
        names[entry.path().filename().string()] = {*entry_id, is_folder};
    }
    names_[*id] = std::move(names);
}

void DurableNames::note_everything_in(const fs::path& folder) {
    note_folder(folder);
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.is_directory()) {
            note_everything_in(entry.path());
        } else if (const auto id = id_of(entry.path()); id && !is_governed(*id)) {
            content_[*id] = load(entry.path());
        }
    }
}

void DurableNames::take_back(Remains remains, SeededRandom& random) {
    for (const auto& root : roots_) take_back_in(root, remains, random);
    for (const auto& root : roots_) note_everything_in(root);
}

void DurableNames::take_back_in(const fs::path& folder, Remains remains, SeededRandom& random) {
    const auto id = id_of(folder);
    if (!id) return;
    if (!survives(remains, random)) put_names_back(folder, names_[*id]);
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
    std::ranges::sort(entries);  // one order for one seed
    for (const auto& entry : entries) {
        const auto entry_id = id_of(entry);
        if (fs::is_directory(entry)) {
            take_back_in(entry, remains, random);
        } else if (entry_id && !is_governed(*entry_id) && !survives(remains, random)) {
            put_content_back(entry, *entry_id);
        }
    }
}

void DurableNames::put_names_back(const fs::path& folder, const Names& durable) {
    std::vector<fs::path> gone;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto found = durable.find(entry.path().filename().string());
        if (found == durable.end() || found->second.id != id_of(entry.path()))
            gone.push_back(entry.path());
    }
    for (const auto& path : gone) fs::remove_all(path);
    for (const auto& [name, entry] : durable) {
        if (id_of(folder / name) == entry.id) continue;
        if (entry.is_folder) {
            fs::create_directory(folder / name);
            put_names_back(folder / name, Names(names_[entry.id]));
        } else {
            fs::create_hard_link(held_.at(entry.id), folder / name);
        }
    }
}

void DurableNames::put_content_back(const fs::path& file, const FileId& id) {
    const auto found = content_.find(id);
    const auto content = found == content_.end() ? std::vector<char>() : found->second;
    if (load(file) == content) return;
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
}

}  // namespace fencegate::testing
