#include "tests/simulation/sqlite_rows.hpp"

#include "base/check.hpp"
#include "base/uuid.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>

namespace fencegate::simulation {

using storage::sqlite::Blob;
using storage::sqlite::Connection;
using storage::sqlite::Statement;

namespace {

std::string uuid_text(Blob bytes) {
    Uuid id;
    FG_CHECK(bytes.size() == id.bytes.size());
    std::ranges::copy(bytes, id.bytes.begin());
    return to_string(id);
}

void collect(Connection& connection, const char* sql, std::set<std::int64_t>& ids) {
    Statement statement(connection, sql);
    auto row = statement.query();
    while (row.next()) ids.insert(row.integer(0));
}

}  // namespace

SqliteRows::SqliteRows(Connection& connection)
    : connection_(connection),
      lease_(connection,
             "SELECT lease_id, lock, principal, owner, metadata, ttl_ms, state, mode, permits, "
             "previous, refused, ended_hour, lock_count FROM leases WHERE token = ?"),
      further_locks_(connection,
                     "SELECT lock, previous FROM lease_locks WHERE token = ? ORDER BY lock"),
      refusals_(connection, "SELECT count(*) FROM refusals WHERE token = ?"),
      answer_(connection,
              "SELECT principal, key, token, coalesce(error_code, ''), body, resource_id, "
              "request_id, created_hour, released FROM answers WHERE id = ?"),
      transfer_(connection,
                "SELECT payment_id, kind, amount, coalesce(token, 0), reason, principal FROM "
                "transfers WHERE id = ?"),
      payments_(connection, "SELECT id, state, authorized, captured, refunded FROM payments"),
      heads_(connection, "SELECT name, last_token FROM locks"),
      runs_(connection,
            "SELECT 'runs/' || job || '/' || slot, state, attempts, token, result FROM runs"),
      elections_(connection, "SELECT name, token, value FROM elections"),
      counter_(connection,
               "SELECT epoch, sequence, (SELECT coalesce(max(hour) + 1, 0) FROM hours), "
               "(SELECT ms FROM running_hour) FROM "
               "store") {
    constexpr auto kNote = [](void* self, int, const char*, const char* table, sqlite3_int64 row) {
        auto& reader = *static_cast<SqliteRows*>(self);
        const std::string_view name = table;
        if (name == "leases") reader.leases_changed_.insert(row);
        if (name == "answers") reader.answers_changed_.insert(row);
        if (name == "transfers") reader.transfers_changed_.insert(row);
    };
    collect(connection, "SELECT token FROM leases", leases_changed_);
    collect(connection, "SELECT id FROM answers", answers_changed_);
    collect(connection, "SELECT id FROM transfers", transfers_changed_);
    ::sqlite3_update_hook(connection.handle(), kNote, this);
}

SqliteRows::~SqliteRows() { ::sqlite3_update_hook(connection_.handle(), nullptr, nullptr); }

const Rows& SqliteRows::refresh() {
    const auto answers_before = rows_.answers.size();
    has_changed_ = false;
    for (const auto token : leases_changed_) read_lease(token);
    for (const auto id : answers_changed_) read_answer(id);
    has_changed_ = has_changed_ || rows_.answers.size() != answers_before;
    for (const auto id : transfers_changed_) read_transfer(id);
    leases_changed_.clear();
    answers_changed_.clear();
    transfers_changed_.clear();
    read_small_tables();
    return rows_;
}

void SqliteRows::read_lease(std::int64_t token) {
    LeaseRow lease;
    bool has_more = false;
    {
        auto row = lease_.query(token);
        if (!row.next()) {
            has_changed_ = rows_.leases.erase(token) > 0 || has_changed_;
            return;
        }
        lease = {.id = uuid_text(row.blob(0)),
                 .locks = {std::string(row.text(1))},
                 .previous = {row.integer(9)},
                 .claim = {static_cast<LockMode>(row.integer(7)), row.integer(8)},
                 .principal = std::string(row.text(2)),
                 .owner = std::string(row.text(3)),
                 .metadata = std::string(row.text(4)),
                 .ttl_ms = row.integer(5),
                 .state = static_cast<LeaseState>(row.integer(6)),
                 .refused = row.integer(10),
                 .refusals_kept = 0,
                 .ended_hour = row.integer(11)};
        has_more = row.integer(12) > 1 || lease.refused > 0;
    }
    if (has_more) read_further_locks(token, lease);
    const auto before = rows_.leases.find(token);
    if (before != rows_.leases.end() && before->second == lease) return;
    rows_.leases[token] = std::move(lease);
    has_changed_ = true;
}

void SqliteRows::read_further_locks(std::int64_t token, LeaseRow& lease) {
    auto further = further_locks_.query(token);
    while (further.next()) {
        lease.locks.emplace_back(further.text(0));
        lease.previous.push_back(further.integer(1));
    }
    auto refusals = refusals_.query(token);
    FG_CHECK(refusals.next());
    lease.refusals_kept = refusals.integer(0);
}

void SqliteRows::read_answer(std::int64_t id) {
    auto row = answer_.query(id);
    if (!row.next()) {
        rows_.answers.erase(id);
        return;
    }
    auto& answer = rows_.answers[id] = {.principal = std::string(row.text(0)),
                                        .key = std::string(row.text(1)),
                                        .token = std::nullopt,
                                        .error = std::string(row.text(3)),
                                        .body = std::string(row.text(4)),
                                        .resource_id = std::string(row.text(5)),
                                        .request_id = std::string(row.text(6)),
                                        .created_hour = row.integer(7),
                                        .is_released = row.integer(8) != 0};
    if (!row.is_null(2)) answer.token = row.integer(2);
}

void SqliteRows::read_transfer(std::int64_t id) {
    auto row = transfer_.query(id);
    if (!row.next()) {
        rows_.transfers.erase(id);
        return;
    }
    rows_.transfers[id] = {.payment = std::string(row.text(0)),
                           .kind = row.integer(1),
                           .amount = row.integer(2),
                           .token = row.integer(3),
                           .reason = std::string(row.text(4)),
                           .principal = std::string(row.text(5))};
}

void SqliteRows::read_small_tables() {
    rows_.payments.clear();
    auto payment = payments_.query();
    while (payment.next()) {
        rows_.payments[std::string(payment.text(0))] = {.state = payment.integer(1),
                                                        .authorized = payment.integer(2),
                                                        .captured = payment.integer(3),
                                                        .refunded = payment.integer(4)};
    }
    rows_.heads.clear();
    auto head = heads_.query();
    while (head.next()) rows_.heads[std::string(head.text(0))] = head.integer(1);
    std::map<std::string, RecordedRun> runs;
    auto run = runs_.query();
    while (run.next()) {
        runs[std::string(run.text(0))] = {.state = static_cast<RunState>(run.integer(1)),
                                          .attempts = run.integer(2),
                                          .token = run.integer(3),
                                          .result = std::string(run.text(4))};
    }
    std::map<std::string, Proclaimed> elections;
    auto election = elections_.query();
    while (election.next())
        elections[std::string(election.text(0))] = {election.integer(1),
                                                    std::string(election.text(2))};
    auto counter = counter_.query();
    FG_CHECK(counter.next());
    const auto hour = counter.integer(2);
    const auto ran_ms = counter.integer(3);
    has_changed_ = has_changed_ || runs != rows_.runs || elections != rows_.elections ||
                   hour != rows_.hour || ran_ms != rows_.ran_ms;
    rows_.runs = std::move(runs);
    rows_.elections = std::move(elections);
    rows_.epoch = counter.integer(0);
    rows_.sequence = counter.integer(1);
    rows_.hour = hour;
    rows_.ran_ms = ran_ms;
}

}  // namespace fencegate::simulation
