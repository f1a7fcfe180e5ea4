// What a power cut leaves: every unsynced change is taken back, then some are made again.
#include "tests/support/forgetful_disk.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

namespace fencegate::testing {
namespace {

constexpr std::int64_t kSectorBytes = 512;

using Change = ForgetfulDisk::Change;
using Image = std::vector<char>;

Image load(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void store(const std::string& file, const Image& image) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(image.data(), static_cast<std::streamsize>(image.size()));
}

void put(Image& image, std::int64_t offset, const char* bytes, std::int64_t size) {
    if (size == 0) return;  // also: nothing to take back where the file did not reach
    const auto end = static_cast<std::size_t>(offset + size);
    if (image.size() < end) image.resize(end);
    std::copy_n(bytes, size, image.begin() + offset);
}

void undo(Image& image, const Change& change) {
    image.resize(static_cast<std::size_t>(change.size_before));
    put(image, change.offset, change.before.data(),
        static_cast<std::int64_t>(change.before.size()));
}

void redo(Image& image, const Change& change) {
    if (!change.is_truncation)
        return put(image, change.offset, change.after.data(),
                   static_cast<std::int64_t>(change.after.size()));
    if (image.size() > static_cast<std::size_t>(change.offset))
        image.resize(static_cast<std::size_t>(change.offset));
}

// Only some of the sectors it touches.
void redo_torn(Image& image, const Change& change, bool in_order, SeededRandom& random) {
    if (change.is_truncation) return;
    const auto end = change.offset + static_cast<std::int64_t>(change.after.size());
    const auto sectors = static_cast<std::uint64_t>((end - change.offset) / kSectorBytes + 2);
    auto left = random.below(sectors);
    for (auto at = change.offset; at < end;) {
        const auto next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
        const bool is_kept = in_order ? left > 0 : random.below(2) == 0;
        if (is_kept) put(image, at, change.after.data() + (at - change.offset), next - at);
        if (left > 0) --left;
        at = next;
    }
}

}  // namespace

void ForgetfulDisk::power_cut(Remains remains, SeededRandom& random) {
    std::map<std::string, Image> images;
    for (auto change = unsynced_.rbegin(); change != unsynced_.rend(); ++change) {
        auto [found, is_new] = images.try_emplace(change->file);
        if (is_new) found->second = load(change->file);
        undo(found->second, *change);
    }
    const auto prefix = unsynced_.empty() ? 0 : random.below(unsynced_.size() + 1);
    for (std::size_t at = 0; at < unsynced_.size(); ++at) {
        const auto& change = unsynced_[at];
        auto& image = images.at(change.file);
        switch (remains) {
            case Remains::Nothing: break;
            case Remains::Everything: redo(image, change); break;
            case Remains::APrefix:
                if (at < prefix) redo(image, change);
                break;
            case Remains::ASubset:
                if (random.below(2) == 0) redo(image, change);
                break;
            case Remains::ATornPrefix:
                if (at < prefix) redo(image, change);
                if (at == prefix) redo_torn(image, change, /*in_order=*/true, random);
                break;
            case Remains::ATornSubset: redo_torn(image, change, /*in_order=*/false, random); break;
        }
    }
    for (const auto& [file, image] : images) store(file, image);
    unsynced_.clear();
    names_.take_back(remains, random);
    for (const auto& index : indexes_) std::filesystem::remove(index);
    be_sound();
}

}  // namespace fencegate::testing
