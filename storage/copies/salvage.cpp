#include "storage/copies/salvage.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/log_healing.hpp"
#include "storage/sqlite/verify_store.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Bytes;
using sqlite::FrameImage;
using sqlite::SeenFrame;

// What can be used of a log.
struct Plan {
    std::map<std::int64_t, FrameImage> healed;
    std::set<std::int64_t> dropped;
    std::int64_t skipped = 0;         // of these, up to `covered`
    std::set<std::int64_t> unknown;   // that are not this log's, since the last that is
    std::set<std::uint32_t> missing;  // pages whose newest image so far is damaged; 0: some page
    std::int64_t last = 0;            // frame that is intact or healed
    std::int64_t end = 0;             // the last commit at which no page was missing
    std::int64_t covered = 0;         // frame up to which all is in the new store; `end` mostly
    std::int64_t commits = 0;         // up to there
    std::vector<std::int64_t> commits_seen{};  // by their last frames
    std::set<std::uint32_t> missing_at_last{};
};

sqlite::FrameHeader header_of(const FrameImage& image) {
    std::vector<std::uint8_t> bytes(image.header);
    bytes.resize(sqlite::kFrameHeaderBytes);
    return sqlite::parse_frame_header(bytes);
}

// Healing takes a tenth of a second a frame. Beyond that many it is no flipped bit.
constexpr std::size_t kHealedMax = 64;

// Between frames of this log there stood some of it, whatever they are now, and nothing says of
// which pages.
void drop_unknown(Plan& plan) {
    if (plan.unknown.empty()) return;
    plan.missing.insert(0);
    plan.dropped.merge(plan.unknown);
    plan.unknown.clear();
}

void plan_frame(Plan& plan, const SeenFrame& frame) {
    // What is left of an older log checks, and its pages are older than the store's.
    if (!frame.is_ours) {
        plan.unknown.insert(frame.number);
        return;
    }
    drop_unknown(plan);
    auto header = frame.header;
    bool is_good = frame.checks && frame.has_salts;
    if (!is_good && (frame.checks || plan.healed.size() + plan.dropped.size() < kHealedMax)) {
        if (auto image = sqlite::whole_frame(frame.before, frame.header_bytes, frame.page)) {
            header = header_of(*image);
            plan.healed.emplace(frame.number, *std::move(image));
            is_good = true;
        }
    }
    if (is_good) {
        plan.missing.erase(header.page);
        plan.last = frame.number;
    } else {
        plan.dropped.insert(frame.number);
        plan.missing.insert(header.page);
    }
    if (!header.is_commit()) return;
    plan.commits_seen.push_back(frame.number);
    if (is_good) plan.missing_at_last = plan.missing;
    if (!plan.missing.empty()) return;
    plan.end = frame.number;
    plan.covered = frame.number;
    plan.commits = std::ssize(plan.commits_seen);
}

// The store has all up to the note without its log. Where less than that can be had of the log, its
// pages are older than the store's.
void take_none(Plan& plan, const sqlite::LogDamage& damage) {
    plan.end = 0;
    plan.covered = damage.frames_noted;
    const auto seen =
        std::ranges::count_if(plan.commits_seen, [&](auto frame) { return frame <= plan.covered; });
    plan.commits = std::max<std::int64_t>(seen, damage.commits_noted);
}

Result<Plan> plan_for(const fs::path& file, const std::optional<sqlite::LogDamage>& damage) {
    Plan plan;
    auto walked = sqlite::walk_log(
        sqlite::log_of(file), [&](const sqlite::SeenFrame& frame) { plan_frame(plan, frame); });
    if (!walked) return std::unexpected(walked.error());
    // What is behind the last frame that checks is the torn end, or of an older log.
    std::erase_if(plan.dropped, [&](auto number) { return number > plan.last; });
    plan.skipped =
        std::ranges::count_if(plan.dropped, [&](auto number) { return number <= plan.end; });
    if (damage && damage->is_copied && plan.end < damage->frames_noted) take_none(plan, *damage);
    return plan;
}

class LogWriter {
public:
    explicit LogWriter(const fs::path& file) : out_(file, std::ios::binary | std::ios::trunc) {
        const auto header = sqlite::make_log_header(kPageBytes, 0, kSalts);
        sum_ = sqlite::parse_log_header(header)->checksum;
        put(header);
    }
    void add(sqlite::FrameHeader header, sqlite::Bytes page) {
        header.salts = kSalts;
        const auto unsummed = sqlite::make_frame_header(header);
        sum_ = sqlite::frame_checksum(/*sums_big_endian=*/false, sum_, unsummed, page);
        header.checksum = sum_;
        put(sqlite::make_frame_header(header));
        put(page);
    }
    [[nodiscard]] bool finish() {
        out_.close();
        return !out_.fail();
    }

private:
    static constexpr std::uint32_t kPageBytes = 4'096;
    static constexpr sqlite::LogSalts kSalts{1, 1};

    void put(sqlite::Bytes bytes) {
        out_.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    std::ofstream out_;
    sqlite::LogChecksum sum_{};
};

std::unexpected<Error> cannot_write(const fs::path& file) {
    return fail_start(StartFailure::CannotCreate,
                      "Cannot write " + file.string() + ". Nothing was changed.");
}

// The store as it was without its log, and of the log what the plan found.
Result<> write_parts(const fs::path& from, const fs::path& to, const Plan& plan) {
    std::error_code ec;
    fs::copy_file(from, to, ec);
    if (!ec) fs::permissions(to, fs::perms(0600), ec);
    if (ec) return cannot_write(to);
    if (plan.end == 0) return sync_path(to);
    LogWriter writer(sqlite::log_of(to));
    auto walked = sqlite::walk_log(sqlite::log_of(from), [&](const sqlite::SeenFrame& frame) {
        if (frame.number > plan.end || plan.dropped.contains(frame.number)) return;
        const auto healed = plan.healed.find(frame.number);
        if (healed == plan.healed.end()) return writer.add(frame.header, frame.page);
        writer.add(header_of(healed->second), healed->second.page);
    });
    if (!walked) return walked;
    if (!writer.finish()) return cannot_write(sqlite::log_of(to));
    fs::permissions(sqlite::log_of(to), fs::perms(0600), ec);
    if (auto done = sync_path(sqlite::log_of(to)); !done) return done;
    return sync_path(to);
}

// It is a copy, wherever births are unknown too: it serves once its epoch is raised. It takes along
// what the old folder knew. Returns its generation.
Result<std::int64_t> open_new(const fs::path& folder, const sqlite::Mark& known) {
    const auto lock = sqlite::FolderLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    const auto opened = sqlite::open_database(folder, sqlite::Origin::Anywhere);
    if (!opened) return std::unexpected(opened.error());
    sqlite::Statement look(**opened, "SELECT generation FROM store");
    auto row = look.query();
    const auto generation = row.next() ? row.integer(0) : 0;
    auto done = sqlite::write_mark(folder, {known.epoch, std::max(known.generation, generation)});
    auto mark = sqlite::read_mark(folder);
    ++mark.generation;
    if (done) done = sqlite::close_folder(folder, mark);
    return done ? Result<std::int64_t>(generation) : std::unexpected(done.error());
}

// Where a store lies that is salvaged, and what is known of it there.
struct Source {
    fs::path file;
    sqlite::LogSurvey log;
    sqlite::Mark known;
};

bool is_of_its_folder(const fs::path& file) { return file.filename() == "store.db"; }

Result<Source> survey_source(const fs::path& file) {
    std::error_code ec;
    if (!fs::is_regular_file(file, ec) || fs::file_size(file, ec) == 0)
        return fail_start(StartFailure::BadData, "There is no store " + file.string() +
                                                     ", or an empty one. A log alone is none. "
                                                     "Nothing was changed.");
    const auto folder = file.parent_path();
    if (is_of_its_folder(file)) {
        if (auto whole = sqlite::refuse_if_restoring(folder); !whole)
            return std::unexpected(whole.error());
    }
    auto log = sqlite::survey_log_in_folder(file);
    if (!log) return std::unexpected(log.error());
    return Source{.file = file,
                  .log = *std::move(log),
                  .known = {.epoch = sqlite::read_mark(folder).epoch,
                            .generation = is_of_its_folder(file) ? sqlite::read_reach(folder) : 0}};
}

// What the plan leaves out, and what nobody can say.
void tell_losses(const Plan& plan, const std::optional<sqlite::LogDamage>& damage,
                 Salvaged& salvaged) {
    const auto known = damage ? damage->commits_noted : 0;
    salvaged.commits_lost =
        std::max<std::int64_t>(std::ssize(plan.commits_seen), known) - plan.commits;
    // The note counts what was synced at once as one, so it may know of fewer.
    const auto noted = damage ? damage->frames_noted : 0;
    if (plan.covered < noted)
        salvaged.commits_lost = std::max<std::int64_t>(salvaged.commits_lost, 1);
    using Kind = sqlite::LogDamage::Kind;
    if (damage && (damage->kind == Kind::Unnoted || damage->kind == Kind::Other ||
                   damage->kind == Kind::Foreign)) {
        salvaged.unknown = sqlite::describe(*damage);
    } else if (plan.skipped > 0) {
        salvaged.unknown =
            "of damaged frames that were left out, " + std::to_string(plan.skipped) +
            ", only they themselves say which pages they hold. Later frames have those pages anew; "
            "if what they say is damaged too, other pages lack what was in them";
    }
    if (plan.covered < plan.last)
        salvaged.pages_lost.assign(plan.missing_at_last.begin(), plan.missing_at_last.end());
}

Result<Salvaged> salvage_into(const fs::path& to, const Source& source) {
    const auto plan = plan_for(source.file, source.log.damage);
    if (!plan) return std::unexpected(plan.error());
    Salvaged salvaged{.file = to / "store.db",
                      .healed = static_cast<std::int64_t>(plan->healed.size()),
                      .dropped = static_cast<std::int64_t>(plan->dropped.size()),
                      .commits = plan->commits};
    salvaged.frames = plan->end - static_cast<std::int64_t>(std::ranges::count_if(
                                      plan->dropped, [&](auto at) { return at <= plan->end; }));
    tell_losses(*plan, source.log.damage, salvaged);
    if (auto done = write_parts(source.file, salvaged.file, *plan); !done)
        return std::unexpected(done.error());
    const auto generation = open_new(to, source.known);
    if (!generation) return std::unexpected(generation.error());
    salvaged.generations_behind = std::max<std::int64_t>(0, source.known.generation - *generation);
    auto report = verify_store(salvaged.file, {.holds_against_marks = false});
    if (!report) return std::unexpected(report.error());
    salvaged.report = *std::move(report);
    return salvaged;
}

std::unexpected<Error> is_open_elsewhere(const fs::path& file) {
    return fail_start(StartFailure::InUse,
                      "Another program has " + file.string() +
                          " open. Stop it; a store that is written to is torn when it is read.");
}

// A store has a folder, which a gateway locks; a copy that was kept is nobody's.
Result<std::optional<sqlite::FolderLock>> keep_gateways_out(const fs::path& file) {
    if (sqlite::is_locked(file)) return is_open_elsewhere(file);
    std::error_code ec;
    if (!is_of_its_folder(file) || !fs::is_directory(file.parent_path(), ec)) return std::nullopt;
    auto lock = sqlite::FolderLock::take_to_read(file.parent_path());
    if (lock) return std::optional(*std::move(lock));
    return std::unexpected(lock.error());
}

}  // namespace

Result<Salvaged> salvage_store(const SalvageOptions& options) {
    std::error_code ec;
    if (fs::exists(options.to, ec))
        return fail_start(StartFailure::CannotCreate,
                          options.to.string() + " is there already. Name a folder to be made.");
    const auto file = fs::absolute(options.from.value_or(options.data_dir / "store.db"));
    const auto still = keep_gateways_out(file);
    if (!still) return std::unexpected(still.error());
    const auto source = survey_source(file);
    if (!source) return std::unexpected(source.error());
    const auto made = MadeFolders::make(options.to);
    if (!made) return std::unexpected(made.error());
    auto salvaged = salvage_into(options.to, *source);
    if (!salvaged) fs::remove_all(options.to, ec);
    return salvaged;
}

}  // namespace fencegate::storage
