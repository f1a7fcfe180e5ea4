// The pages of the database file beside their seals, each of them, whether a row needs it or not:
// a disk that changes a free page changes others too. Those that the log has newer are not looked
// at here; a crash may have left them torn, and SQLite compared the log's own when it read it.
#include "base/file.hpp"
#include "storage/sqlite/file_checks.hpp"
#include "storage/sqlite/log_file.hpp"
#include "storage/sqlite/page_seal.hpp"

#include <sqlite3.h>

#include <array>
#include <unistd.h>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

class ReadOnlyFile {
public:
    explicit ReadOnlyFile(const std::string& name) : descriptor_(open_to_read(name)) {}

    // False where the file ends before that, or cannot be read.
    template <std::size_t Size, class Byte>
    [[nodiscard]] bool read(std::array<Byte, Size>& out, std::int64_t offset) const {
        return ::pread(descriptor_.get(), out.data(), Size, offset) == static_cast<::ssize_t>(Size);
    }

private:
    Descriptor descriptor_;
};

// Those that SQLite reads from the log: of its frames, as far as they belong to it, up to its last
// commit. SQLite has compared their checksums when the connection was opened.
std::vector<bool> pages_in_log(const std::string& log, std::size_t pages) {
    std::vector<bool> in_log(pages + 1, false);
    const ReadOnlyFile file(log);
    std::array<std::uint8_t, kLogHeaderBytes> start;
    if (!file.read(start, 0)) return in_log;
    const auto header = parse_log_header(start);
    if (!header) return in_log;
    std::vector<std::uint32_t> since_commit;
    std::array<std::uint8_t, kFrameHeaderBytes> bytes;
    for (std::int64_t frame = 1; file.read(bytes, frame_offset(frame, header->page_bytes));
         ++frame) {
        const auto of = parse_frame_header(bytes);
        if (of.salts != header->salts) break;
        if (of.page <= pages) since_commit.push_back(of.page);
        if (!of.is_commit()) continue;
        for (const auto page : std::exchange(since_commit, {})) in_log[page] = true;
    }
    return in_log;
}

std::int64_t page_count(Connection& connection) {
    Statement statement(connection, "PRAGMA page_count");
    auto row = statement.query();
    return row.next() ? row.integer(0) : 0;
}

bool has_room(Connection& connection) {
    int reserved = -1;  // only asks
    ::sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    return reserved == static_cast<int>(kSealBytes);
}

}  // namespace

void check_pages(Connection& connection, const VerifyOptions& options, Check& check) {
    const char* name = ::sqlite3_db_filename(connection.handle(), "main");
    const auto pages = page_count(connection);
    if (name == nullptr || *name == '\0' || connection.failure() || !has_room(connection)) return;
    const auto in_log = pages_in_log(std::string(name) + "-wal", static_cast<std::size_t>(pages));
    const ReadOnlyFile file(name);
    std::array<std::byte, kFilePageBytes> page;
    Progress progress(options, "pages", pages);
    for (std::int64_t number = 1; number <= pages; ++number) {
        progress.step();
        if (options.is_given_up != nullptr && *options.is_given_up) return;
        if (in_log[static_cast<std::size_t>(number)] || number == kLockingPage) continue;
        const auto offset = (number - 1) * static_cast<std::int64_t>(kFilePageBytes);
        const bool is_sound =
            file.read(page, offset) && carries_seal(page, static_cast<std::uint32_t>(number));
        check.expect(is_sound, [&] { return nth("page", number) + " is not as it was written"; });
    }
}

}  // namespace fencegate::storage::sqlite
