#include "tests/simulation/rows.hpp"

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

RowReader::RowReader(Connection& connection)
    : connection_(connection),
      lease_(connection,
             "SELECT lease_id, lock, principal, owner, metadata, ttl_ms, state, refused "
             "FROM leases WHERE token = ?"),
      answer_(connection,
              "SELECT principal, key, token, coalesce(error_code, ''), body, resource_id, "
              "request_id FROM answers WHERE id = ?"),
      transfer_(connection,
                "SELECT payment_id, kind, amount, coalesce(token, 0), reason, principal FROM "
                "transfers WHERE id = ?"),
      payments_(connection, "SELECT id, state, authorized, captured, refunded FROM payments"),
      counter_(connection, "SELECT epoch, sequence FROM store") {
    constexpr auto kNote = [](void* self, int, const char*, const char* table, sqlite3_int64 row) {
        auto& reader = *static_cast<RowReader*>(self);
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

RowReader::~RowReader() { ::sqlite3_update_hook(connection_.handle(), nullptr, nullptr); }

const Rows& RowReader::refresh() {
    const auto answers_before = rows_.answers.size();
    has_changed_ = false;
    for (const auto token : leases_changed_) read_lease(token);
    for (const auto id : answers_changed_) read_answer(id);
    has_changed_ = has_changed_ || rows_.answers.size() != answers_before;
    for (const auto id : transfers_changed_) read_transfer(id);
    leases_changed_.clear();
    answers_changed_.clear();
    transfers_changed_.clear();
    read_payments();
    auto row = counter_.query();
    FG_CHECK(row.next());
    rows_.epoch = row.integer(0);
    rows_.sequence = row.integer(1);
    return rows_;
}

void RowReader::read_lease(std::int64_t token) {
    auto row = lease_.query(token);
    if (!row.next()) {
        rows_.leases.erase(token);
        return;
    }
    LeaseRow lease{.id = uuid_text(row.blob(0)),
                   .lock = std::string(row.text(1)),
                   .principal = std::string(row.text(2)),
                   .owner = std::string(row.text(3)),
                   .metadata = std::string(row.text(4)),
                   .ttl_ms = row.integer(5),
                   .state = static_cast<lockmgr::LeaseState>(row.integer(6)),
                   .refused = row.integer(7)};
    const auto before = rows_.leases.find(token);
    if (before != rows_.leases.end() && before->second == lease) return;
    rows_.leases[token] = std::move(lease);
    has_changed_ = true;
}

void RowReader::read_answer(std::int64_t id) {
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
                                        .request_id = std::string(row.text(6))};
    if (!row.is_null(2)) answer.token = row.integer(2);
}

void RowReader::read_transfer(std::int64_t id) {
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

void RowReader::read_payments() {
    rows_.payments.clear();
    auto row = payments_.query();
    while (row.next()) {
        rows_.payments[std::string(row.text(0))] = {.state = row.integer(1),
                                                    .authorized = row.integer(2),
                                                    .captured = row.integer(3),
                                                    .refunded = row.integer(4)};
    }
}

}  // namespace fencegate::simulation
