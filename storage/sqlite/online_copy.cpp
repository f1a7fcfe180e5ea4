#include "storage/sqlite/online_copy.hpp"

#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/page_seal.hpp"
#include "storage/sqlite/page_seal_vfs.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace fencegate::storage::sqlite {
namespace {

// Some 50 microseconds of work between two looks at the clock.
constexpr int kPagesPerLook = 16;
constexpr int kRestartsMax = 5;

std::unexpected<Error> failed(int code, const char* why) {
    const auto damage = take_damage();
    if (code == SQLITE_IOERR_DATA && damage)
        return fail(ErrorCode::StoreDamaged,
                    "The copy was given up: " + *damage + ". fencegate verify says what else is.");
    const bool is_full = (code & 0xff) == SQLITE_FULL;
    return fail(is_full ? ErrorCode::StoreFull : ErrorCode::Internal,
                std::string(is_full ? "There is no room for the copy: " : "The copy failed: ") +
                    why + ". The store is as it was.");
}

std::unexpected<Error> failed(const Connection& connection) {
    const auto& failure = *connection.failure();
    const bool is_full = failure.kind == Failure::Kind::Full;
    return failed(is_full ? SQLITE_FULL : SQLITE_IOERR, failure.message.c_str());
}

Result<> create_private(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        const int code = errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : SQLITE_CANTOPEN;
        return failed(code, (file.string() + ": " + std::strerror(errno)).c_str());
    }
    ::close(descriptor);
    return {};
}

}  // namespace

Result<std::unique_ptr<OnlineCopy>> OnlineCopy::begin(Connection& source,
                                                      const std::filesystem::path& file) {
    if (auto done = create_private(file); !done) return std::unexpected(done.error());
    auto target = Connection::open(file);
    if (!target) return failed(SQLITE_CANTOPEN, target.error().detail.c_str());
    // A copy that is cut short is thrown away, so it needs no journal, and whoever gives it its
    // name syncs it first.
    (*target)->exec(
        "PRAGMA locking_mode = EXCLUSIVE;"
        "PRAGMA journal_mode = OFF;"
        "PRAGMA synchronous = OFF;"
        "PRAGMA cache_size = -1024;");
    if ((*target)->failure()) return failed(**target);
    auto* backup = ::sqlite3_backup_init((*target)->handle(), "main", source.handle(), "main");
    if (backup == nullptr) {
        auto* handle = (*target)->handle();
        return failed(::sqlite3_errcode(handle), ::sqlite3_errmsg(handle));
    }
    return std::unique_ptr<OnlineCopy>(new OnlineCopy(source, *std::move(target), backup));
}

OnlineCopy::~OnlineCopy() { ::sqlite3_backup_finish(backup_); }

Result<bool> OnlineCopy::step(const Clock& clock, std::chrono::nanoseconds budget) {
    const auto until = clock.boot_now() + budget;
    int code = SQLITE_OK;
    do code = ::sqlite3_backup_step(backup_, kPagesPerLook);
    while (code == SQLITE_OK && clock.boot_now() < until);
    const auto total = ::sqlite3_backup_pagecount(backup_);
    const auto done = total - ::sqlite3_backup_remaining(backup_);
    if (done <= progress_.pages_done && code == SQLITE_OK && ++restarts_ > kRestartsMax)
        return failed(SQLITE_FULL,
                      "the store's own disk is full, and each time it rolls a batch "
                      "back the copy begins anew");
    progress_ = {.pages_done = done, .pages_total = total};
    if (code == SQLITE_OK) return false;
    const int finished = ::sqlite3_backup_finish(std::exchange(backup_, nullptr));
    if (code == SQLITE_DONE) code = finished;
    if (code != SQLITE_OK) return failed(code, ::sqlite3_errstr(code));
    target_.reset();
    return true;
}

CopyProgress OnlineCopy::progress() const { return progress_; }

Result<CopyFacts> OnlineCopy::facts() {
    Statement read(source_,
                   "SELECT epoch, sequence, (SELECT coalesce(max(id), 0) FROM transfers) "
                   "FROM store WHERE id = 1");
    auto row = read.query();
    if (!row.next()) return failed(SQLITE_CORRUPT, "the store cannot be read");
    CopyFacts facts{.epoch = row.integer(0), .last_transfer = row.integer(2)};
    if (row.integer(1) > 0)
        facts.last_token = lockmgr::FencingToken::compose(facts.epoch, row.integer(1));
    facts.bytes = progress_.pages_total * static_cast<std::int64_t>(kFilePageBytes);
    return facts;
}

}  // namespace fencegate::storage::sqlite
