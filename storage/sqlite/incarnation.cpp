#include "storage/sqlite/incarnation.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarks = "store.marks";
// Stands behind the name of a mark of close_folder(), as a file of its own: other versions read
// marks only.
constexpr std::string_view kClosed = ".closed";
// So that a copy taken under load is older than its original a moment later, at the price of four
// renames a second.
constexpr Duration kRaiseEvery{250};

// "<epoch>-<generation>".
std::string name_of(const Mark& mark) {
    return std::to_string(mark.epoch) + "-" + std::to_string(mark.generation);
}

std::optional<Mark> parse_mark(const std::string& name) {
    Mark mark;
    const auto* const end = name.data() + name.size();
    const auto epoch = std::from_chars(name.data(), end, mark.epoch);
    if (epoch.ec != std::errc() || epoch.ptr == end || *epoch.ptr != '-') return std::nullopt;
    const auto generation = std::from_chars(epoch.ptr + 1, end, mark.generation);
    if (generation.ec != std::errc() || generation.ptr != end) return std::nullopt;
    return mark;
}

// From the lowest on.
std::vector<Mark> marks_of(const fs::path& folder) {
    std::vector<Mark> marks;
    std::error_code ec;
    for (fs::directory_iterator at(folder / kMarks, ec), end; !ec && at != end; at.increment(ec)) {
        if (const auto mark = parse_mark(at->path().filename().string())) marks.push_back(*mark);
    }
    std::ranges::sort(marks, {}, &Mark::generation);
    return marks;
}

fs::path closed_name(const fs::path& folder, const Mark& mark) {
    return folder / kMarks / (name_of(mark) + std::string(kClosed));
}

// Those that a store has passed.
void forget_closings(const fs::path& folder, std::int64_t reached) {
    std::vector<fs::path> passed;
    std::error_code ec;
    for (fs::directory_iterator at(folder / kMarks, ec), end; !ec && at != end; at.increment(ec)) {
        const auto name = at->path().filename().string();
        if (!name.ends_with(kClosed)) continue;
        const auto mark = parse_mark(name.substr(0, name.size() - kClosed.size()));
        if (mark && mark->generation < reached) passed.push_back(at->path());
    }
    for (const auto& path : passed) fs::remove(path, ec);
}

bool make_mark(const fs::path& folder, const std::string& name) {
    ::mkdir((folder / kMarks).c_str(), 0700);
    const auto file = folder / kMarks / name;
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    ::close(descriptor);
    return true;
}

std::unexpected<Error> cannot_mark(const fs::path& folder) {
    return fail_start(
        StartFailure::CannotCreate,
        "Cannot write a mark in " + (folder / kMarks).string() + ": " + std::strerror(errno));
}

struct Entry {
    std::int64_t generation = 0;
    std::int64_t birth_ns = 0;
};

Entry read_entry(Connection& connection) {
    Statement statement(connection, "SELECT generation, born_ns FROM store WHERE id = 1");
    auto row = statement.query();
    if (!row.next()) return {};
    return {row.integer(0), row.integer(1)};
}

std::unexpected<Error> refuse(const fs::path& folder, const std::string& how) {
    return fail_start(StartFailure::BadData,
                      "The store in " + folder.string() + " " + how +
                          " What was granted and paid since is not known here, so it does not "
                          "serve. If it is meant to take over, stop every other gateway that "
                          "serves it and run: fencegate restore --data-dir " +
                          folder.string());
}

}  // namespace

std::int64_t birth_of(const fs::path& file) {
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    struct statx status {};
    if (::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &status) != 0) return 0;
    if ((status.stx_mask & STATX_BTIME) == 0) return 0;
    return status.stx_btime.tv_sec * kNsPerSecond + status.stx_btime.tv_nsec;
}

Mark read_mark(const fs::path& folder) {
    Mark highest;
    for (const auto& mark : marks_of(folder)) {
        highest.epoch = std::max(highest.epoch, mark.epoch);
        highest.generation = std::max(highest.generation, mark.generation);
    }
    return highest;
}

std::int64_t read_reach(const fs::path& folder) {
    std::int64_t reach = 0;
    std::error_code ec;
    for (const auto& mark : marks_of(folder)) {
        if (!fs::exists(closed_name(folder, mark), ec)) reach = mark.generation;
    }
    return reach;
}

std::string describe_behind(std::int64_t generations) {
    return std::to_string(generations) + (generations == 1 ? " generation" : " generations") +
           " behind the marks of its folder";
}

Result<> write_mark(const fs::path& folder, const Mark& mark) {
    if (!make_mark(folder, name_of(mark))) return cannot_mark(folder);
    if (auto done = sync_path(folder / kMarks); !done) return done;
    return sync_path(folder);
}

Result<> close_folder(const fs::path& folder, const Mark& mark) {
    const auto closed = closed_name(folder, mark);
    if (!make_mark(folder, closed.filename().string())) return cannot_mark(folder);
    auto done = write_mark(folder, mark);
    if (!done) note_reached(folder, mark);
    return done;
}

void note_reached(const fs::path& folder, const Mark& mark) noexcept {
    std::error_code ignored;
    fs::remove(closed_name(folder, mark), ignored);
}

Result<> check_incarnation(Connection& connection, const fs::path& folder, bool had_store,
                           bool knows_generations) {
    const auto entry = knows_generations ? read_entry(connection) : Entry{};
    if (connection.failure()) return {};  // damaged: whoever uses the connection next says so
    const auto mark = read_mark(folder);
    if (entry.generation < read_reach(folder))
        return refuse(folder, "is older than the one that was here: it was put back.");
    if (entry.generation < mark.generation)
        return refuse(folder, "was salvaged, or a restore of it did not finish.");
    // A new store, or the first start of the version that brought this.
    if (entry.generation == 0) return {};
    const auto birth_ns = birth_of(folder / "store.db");
    const bool is_copy = birth_ns != 0 && entry.birth_ns != 0 ? birth_ns != entry.birth_ns
                                                              : !had_store && mark.generation == 0;
    if (is_copy) return refuse(folder, "was copied here: it is not the file that was last served.");
    return {};
}

Incarnation::Incarnation(Connection& connection, fs::path folder)
    : connection_(connection),
      folder_(std::move(folder)),
      committed_(read_entry(connection).generation),
      generation_(std::max(committed_, read_mark(folder_).generation)),
      raise_(connection, "UPDATE store SET generation = ? WHERE id = 1 RETURNING epoch"),
      raise_and_note_(connection,
                      "UPDATE store SET generation = ?, born_ns = ? WHERE id = 1 RETURNING epoch") {
    // The two highest are in use; what is below came from a copy over this folder.
    auto marks = marks_of(folder_);
    std::error_code ignored;
    for (std::size_t at = 0; at + 2 < marks.size(); ++at)
        fs::remove(folder_ / kMarks / name_of(marks[at]), ignored);
    if (!marks.empty()) {
        mark_ = name_of(marks.back());
        forget_closings(folder_, marks.back().generation);
    }
    if (marks.size() > 1) last_mark_ = name_of(marks[marks.size() - 2]);
}

void Incarnation::raise() {
    const auto next = generation_ + 1;
    auto row = raise_and_note_.query(next, birth_of(folder_ / "store.db"));
    if (row.next()) pending_ = {row.integer(0), next};
}

void Incarnation::raise_if_due(BootTime now) {
    if (now - raised_at_ < kRaiseEvery) return;
    raised_at_ = now;
    const auto next = generation_ + 1;
    auto row = raise_.query(next);
    if (row.next()) pending_ = {row.integer(0), next};
}

// A mark that cannot be moved, on a full disk say, remembers less and does no harm.
void Incarnation::committed() {
    if (pending_.generation == 0) return;
    const auto reached = std::exchange(pending_, {});
    generation_ = committed_ = reached.generation;
    auto name = name_of(reached);
    const auto marks = folder_ / kMarks;
    const bool is_renamed =
        !last_mark_.empty() && ::rename((marks / last_mark_).c_str(), (marks / name).c_str()) == 0;
    if (!is_renamed && !make_mark(folder_, name)) return;
    last_mark_ = std::exchange(mark_, std::move(name));
}

void Incarnation::raise_now() {
    connection_.exec("BEGIN IMMEDIATE");
    raise();
    connection_.exec("COMMIT");
    if (connection_.failure()) return rolled_back();
    committed();
    // What is not durable is remembered less: as above.
    if (sync_path(folder_ / kMarks)) static_cast<void>(sync_path(folder_));
}

}  // namespace fencegate::storage::sqlite
