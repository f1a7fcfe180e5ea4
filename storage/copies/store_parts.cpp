#include "storage/copies/store_parts.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"

#include <algorithm>
#include <string>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const std::string& what, const std::error_code& ec) {
    return fail_start(StartFailure::CannotCreate, "Cannot " + what + ": " + ec.message() + ".");
}

fs::path part_of(fs::path file, const char* part) { return file += part; }

}  // namespace

bool has_any_part(const fs::path& file) {
    std::error_code ec;
    return std::ranges::any_of(
        kParts, [&](const auto* part) { return fs::exists(part_of(file, part), ec); });
}

Result<> copy_parts(Parts parts, const fs::path& from, const fs::path& to) {
    std::error_code ec;
    for (const auto* part : parts) {
        const auto target = part_of(to, part);
        if (!fs::exists(part_of(from, part), ec)) continue;
        fs::copy_file(part_of(from, part), target, ec);
        if (ec) return cannot("copy " + from.string() + " to " + target.string(), ec);
        fs::permissions(target, fs::perms(0600), ec);
        if (ec) return cannot("protect " + target.string(), ec);
        if (auto done = sync_path(target); !done) return done;
    }
    return {};
}

Result<> keep_parts(const fs::path& file, const fs::path& kept) {
    std::error_code ec;
    for (const auto* part : kParts) {
        if (!fs::exists(part_of(file, part), ec)) continue;
        fs::create_hard_link(part_of(file, part), part_of(kept, part), ec);
        if (!ec) continue;
        remove_parts(kept);
        return copy_parts(kParts, file, kept);
    }
    return {};
}

Result<> replace_parts(const fs::path& file, const fs::path& next) {
    std::error_code ec;
    const auto move = [&](const char* part) {
        if (fs::exists(part_of(next, part), ec))
            fs::rename(part_of(next, part), part_of(file, part), ec);
        return !ec;
    };
    bool done = move("-tail");
    if (done) fs::remove(part_of(file, "-wal"), ec);
    done = done && !ec && move("");
    if (!done) return cannot("replace " + file.string(), ec);
    return sync_path(file.parent_path());
}

void remove_parts(const fs::path& file) {
    std::error_code ignored;
    for (const auto* part : kParts) fs::remove(part_of(file, part), ignored);
}

}  // namespace fencegate::storage
