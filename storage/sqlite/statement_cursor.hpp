#pragma once
// StatementCursor: a pass of `verify` (storage/verify/rows.hpp) over what a query returns, each row
// put into one that is used again, so that its texts keep their room.
// Thread rule: as its Connection. Errors: the Connection's failure(); the pass then ends.

#include "storage/sqlite/connection.hpp"
#include "storage/verify/rows.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace fencegate::storage::sqlite {

template <class Row, class Fill>
class StatementCursor final : public Cursor<Row> {
public:
    // REQUIRES: texts among `values` outlive the cursor.
    template <class... Values>
    StatementCursor(Connection& connection, const char* sql, Fill fill, const Values&... values)
        : statement_(connection, sql),
          found_(statement_.query(values...)),
          fill_(std::move(fill)) {}

    [[nodiscard]] const Row* next() override {
        // A statement that is stepped once more would begin again.
        is_over_ = is_over_ || !found_.next();
        if (is_over_) return nullptr;
        fill_(found_, row_);
        return &row_;
    }

private:
    Statement statement_;
    Statement::Row found_;
    Fill fill_;
    Row row_{};
    bool is_over_ = false;
};

// `fill` takes (const Statement::Row& from, Row& to).
template <class Row, class Fill, class... Values>
[[nodiscard]] Pass<Row> pass_over(Connection& connection, const char* sql, Fill fill,
                                  const Values&... values) {
    return Pass<Row>(
        std::make_unique<StatementCursor<Row, Fill>>(connection, sql, std::move(fill), values...));
}

[[nodiscard]] inline WallTime time_in(const Statement::Row& row, int column) {
    return WallTime(std::chrono::milliseconds(row.integer(column)));
}

// nullopt: NULL.
[[nodiscard]] inline std::optional<WallTime> maybe_time_in(const Statement::Row& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return time_in(row, column);
}

[[nodiscard]] inline std::optional<std::int64_t> number_in(const Statement::Row& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return row.integer(column);
}

// All zero where the column has another size, which only a damaged file has.
template <class Bytes>
void copy_exactly(Blob from, Bytes& to) {
    to = {};
    if (from.size() == to.size()) std::ranges::copy(from, to.begin());
}

}  // namespace fencegate::storage::sqlite
