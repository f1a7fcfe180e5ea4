#pragma once
// Rows: what one statement returned, read row by row:
//     auto row = connection.ask(find_, token); if (row.next()) use(row.integer(0));
// Owns the result. Thread rule: one thread. A value that is not of the type that is asked for, as
// only a foreign schema has, reads as 0 or empty.

#include "lockmgr/fencing_token.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace fencegate::storage::postgres {

using Blob = std::span<const std::uint8_t>;

class Rows {
public:
    Rows() = default;  // none
    explicit Rows(::pg_result* result) : result_(result) {}

    [[nodiscard]] bool next() noexcept;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string_view text(int column) const;  // valid as long as this is
    [[nodiscard]] Blob blob(int column) const;              // likewise
    [[nodiscard]] std::vector<std::string_view> texts(int column) const;  // of an array; likewise
    // nullopt: NULL, or the 0 of a column that cannot be.
    [[nodiscard]] std::optional<lockmgr::FencingToken> token(int column) const;
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] const ::pg_result* handle() const noexcept { return result_.get(); }

private:
    struct Clear {
        void operator()(::pg_result* result) const noexcept;
    };
    std::unique_ptr<::pg_result, Clear> result_;
    int row_ = -1;
};

}  // namespace fencegate::storage::postgres
