#include "storage/sqlite/connection.hpp"

#include "base/hex.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/page_seal.hpp"
#include "storage/sqlite/page_seal_vfs.hpp"

#include <sqlite3.h>

namespace fencegate::storage::sqlite {
namespace {

Failure::Kind kind_of(int code) noexcept {
    if (code == SQLITE_IOERR_DATA) return Failure::Kind::Damaged;
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Failure::Kind::Damaged;
        case SQLITE_FULL: return Failure::Kind::Full;
        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG: return Failure::Kind::Constraint;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Failure::Kind::Busy;
        default: return Failure::Kind::Fatal;
    }
}

// An error of the disk, and not a page that is not as it was written.
bool is_of_disk(int code) noexcept {
    return (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_DATA;
}

// SQLite takes everything behind a ? of a URI for options.
std::string uri_of(const std::filesystem::path& file) {
    std::string uri = "file:";
    for (const char letter : std::filesystem::absolute(file).string()) {
        if (letter == '%' || letter == '?' || letter == '#') {
            append_percent_escape(uri, letter);
        } else {
            uri += letter;
        }
    }
    return uri;
}

Result<::sqlite3*> open_handle(const std::string& name, int flags, StartFailure failure,
                               const std::filesystem::path& file) {
    // Counting every allocation of the library takes a global lock; nobody reads the counts.
    // Has no effect once SQLite is in use, so only the first call matters.
    static const int memory_counts = ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    static_cast<void>(memory_counts);
    ::sqlite3* handle = nullptr;
    const int code = ::sqlite3_open_v2(
        name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, sealing_vfs());
    if (code == SQLITE_OK) return handle;
    std::string why = handle != nullptr ? ::sqlite3_errmsg(handle) : "out of memory";
    ::sqlite3_close(handle);
    if (is_of_disk(code)) return disk_failed(file, why);
    return fail_start(failure, "Cannot open " + file.string() + ": " + why + ".");
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file) {
    const auto handle = open_handle(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                    StartFailure::CannotCreate, file);
    if (!handle) return std::unexpected(handle.error());
    // Of a store without seals this says what a VACUUM leaves room for; see seal_pages.hpp.
    int reserved = static_cast<int>(kSealBytes);
    ::sqlite3_file_control(*handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    std::unique_ptr<Connection> connection(new Connection(*handle));
    // A page that is freed is written once more, so that every page of the file carries a seal.
    connection->exec("PRAGMA secure_delete = ON");
    return connection;
}

Result<std::unique_ptr<Connection>> Connection::open_to_read(const std::filesystem::path& file) {
    // Without a log the file is all there is, and SQLite need not even lock it. A log can only be
    // read by who could write: its index is then kept on the heap.
    std::error_code ec;
    const auto log_bytes = std::filesystem::file_size(file.string() + "-wal", ec);
    if (ec || log_bytes == 0) return open_without_log(file);
    const auto handle =
        open_handle(file.string(), SQLITE_OPEN_READWRITE, StartFailure::CannotRead, file);
    if (!handle) return std::unexpected(handle.error());
    std::unique_ptr<Connection> connection(new Connection(*handle));
    connection->only_read();
    return connection;
}

Result<std::unique_ptr<Connection>> Connection::open_without_log(
    const std::filesystem::path& file) {
    const auto handle =
        open_handle(uri_of(file) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                    StartFailure::CannotRead, file);
    if (!handle) return std::unexpected(handle.error());
    std::unique_ptr<Connection> connection(new Connection(*handle));
    connection->only_read();
    return connection;
}

void Connection::only_read() {
    exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; "
        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -65536");
}

Connection::~Connection() {
    // The writer checkpoints when it decides to, not when it happens to close.
    ::sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    ::sqlite3_close(handle_);
}

void Connection::exec(const char* sql) {
    if (failure_) return;
    const int code = ::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) note_failure(code);
}

bool Connection::is_in_transaction() const noexcept {
    return ::sqlite3_get_autocommit(handle_) == 0;
}

void Connection::checkpoint(bool truncate) {
    if (failure_ || !copy_log(SQLITE_CHECKPOINT_PASSIVE)) return;
    if (copied_ && !copied_(/*is_emptied_next=*/truncate)) return;
    if (truncate) static_cast<void>(copy_log(SQLITE_CHECKPOINT_TRUNCATE));
}

bool Connection::copy_log(int mode) {
    int frames = 0;
    int copied = 0;
    const int code = ::sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, &frames, &copied);
    if (code != SQLITE_OK) note_failure(code);
    if (code != SQLITE_OK || frames != copied) return false;
    wal_bytes_ = 0;
    return true;
}

std::int64_t Connection::wal_frames() const noexcept {
    return wal_bytes_ / static_cast<std::int64_t>(kFilePageBytes);
}

void Connection::watch_wal() {
    constexpr auto kNote = [](void* self, ::sqlite3*, const char*, int frames) {
        static_cast<Connection*>(self)->wal_bytes_ =
            frames * static_cast<std::int64_t>(kFilePageBytes);
        return SQLITE_OK;
    };
    ::sqlite3_wal_hook(handle_, kNote, this);
}

void Connection::note_failure(int code) {
    if (failure_) return;
    // What the seals say is only of the newest failure.
    auto damage = take_damage();
    failure_ =
        Failure{kind_of(code), code == SQLITE_IOERR_DATA && damage ? *std::move(damage)
                                                                   : ::sqlite3_errmsg(handle_)};
}

Statement::Statement(Connection& connection, const char* sql) : connection_(connection) {
    const int code = ::sqlite3_prepare_v3(connection.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                          &statement_, nullptr);
    if (code != SQLITE_OK) connection.note_failure(code);
}

Statement::~Statement() { ::sqlite3_finalize(statement_); }

bool Statement::step() {
    if (connection_.failure() || statement_ == nullptr) return false;
    const int code = ::sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) connection_.note_failure(code);
    return false;
}

// The failure, if any, was noted by step(); reset() repeats the same code.
void Statement::reset() noexcept { static_cast<void>(::sqlite3_reset(statement_)); }

int Statement::changes() const noexcept { return ::sqlite3_changes(connection_.handle()); }

// Out of memory, or a text beyond SQLite's limits: as bad as a failed step.
void Statement::bound(int code) {
    if (code != SQLITE_OK) connection_.note_failure(code);
}

void Statement::bind(int at, std::int64_t value) {
    bound(::sqlite3_bind_int64(statement_, at, value));
}

void Statement::bind(int at, std::string_view value) {
    // An empty view may hold a null pointer, which SQLite would take for NULL.
    const char* data = value.empty() ? "" : value.data();
    bound(::sqlite3_bind_text64(statement_, at, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int at, Blob value) {
    bound(::sqlite3_bind_blob64(statement_, at, value.data(), value.size(), SQLITE_STATIC));
}

void Statement::bind(int at, std::nullptr_t) { bound(::sqlite3_bind_null(statement_, at)); }

std::int64_t Statement::Row::integer(int column) const {
    return ::sqlite3_column_int64(statement_.statement_, column);
}

std::string_view Statement::Row::text(int column) const {
    const auto* data = ::sqlite3_column_text(statement_.statement_, column);
    if (data == nullptr) return {};
    const auto size = ::sqlite3_column_bytes(statement_.statement_, column);
    return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Blob Statement::Row::blob(int column) const {
    const auto* data = ::sqlite3_column_blob(statement_.statement_, column);
    const auto size = ::sqlite3_column_bytes(statement_.statement_, column);
    return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}

std::optional<lockmgr::FencingToken> Statement::Row::token(int column) const {
    return lockmgr::FencingToken::from_number(integer(column));
}

bool Statement::Row::is_null(int column) const {
    return ::sqlite3_column_type(statement_.statement_, column) == SQLITE_NULL;
}

std::string_view library_version() noexcept { return ::sqlite3_libversion(); }

}  // namespace fencegate::storage::sqlite
