#include "tests/damage/deeds.hpp"

#include <fstream>
#include <sys/stat.h>

namespace fencegate::testing {

namespace fs = std::filesystem;

namespace {

void cut_to(const fs::path& file, std::uintmax_t part, std::uintmax_t parts) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    if (!ec) fs::resize_file(file, size * part / parts);
}

void flip(const fs::path& file, std::uintmax_t part, std::uintmax_t parts) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    if (ec || size == 0) return;
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>((size - 1) * part / parts);
    stream.seekg(at);
    const auto byte = static_cast<char>(stream.get() ^ 4);
    stream.seekp(at);
    stream.put(byte);
}

}  // namespace

Contents contents_of(const fs::path& folder) {
    Contents contents;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        auto text = std::to_string(status.st_mode) + ":";
        if (entry.is_regular_file()) {
            std::ifstream in(entry.path(), std::ios::binary);
            const auto head = text.size();
            text.resize(head + entry.file_size());
            in.read(text.data() + head, static_cast<std::streamsize>(entry.file_size()));
        }
        contents[fs::relative(entry.path(), folder).string()] = std::move(text);
    }
    return contents;
}

std::string difference(const Contents& before, const Contents& after) {
    std::string told;
    for (const auto& [name, text] : before) {
        const auto found = after.find(name);
        if (found == after.end()) told += " -" + name;
        if (found != after.end() && found->second != text) told += " ~" + name;
    }
    for (const auto& [name, text] : after) {
        if (!before.contains(name)) told += " +" + name;
    }
    return told;
}

const std::vector<Deed>& deeds() {
    static const std::vector<Deed> all{
        {"Move", [](const auto& file, const auto&) { fs::rename(file, file.string() + ".away"); }},
        {"Delete", [](const auto& file, const auto&) { fs::remove(file); }},
        {"Empty", [](const auto& file, const auto&) { cut_to(file, 0, 1); }},
        {"CutShort", [](const auto& file, const auto&) { cut_to(file, 1, 50); }},
        {"CutHalf", [](const auto& file, const auto&) { cut_to(file, 1, 2); }},
        {"CutEnd", [](const auto& file, const auto&) { cut_to(file, 49, 50); }},
        {"FlipHead", [](const auto& file, const auto&) { flip(file, 0, 1); }},
        {"FlipMiddle", [](const auto& file, const auto&) { flip(file, 1, 2); }},
        {"FlipEnd", [](const auto& file, const auto&) { flip(file, 1, 1); }},
        {"Swap",
         [](const auto& file, const auto& other) {
             fs::remove(file);
             fs::copy_file(other, file);
         }},
    };
    return all;
}

}  // namespace fencegate::testing
