#pragma once
// Table: columns of text that fit a width: first the texts that can be shortened are, then columns
// are left out, the least needed first. Also the spelling of durations.
// Owns: that layout. Refuses to own: what the cells say; they must be printable.
// Invariant: no line is longer than the width, if there is one. Thread rule: plain values.

#include "base/clock.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::cli::top {

struct Column {
    std::string title{};
    bool is_right_aligned = false;
    std::size_t shortest = 0;  // may be shortened to this; 0: not at all
    int need = 0;              // columns of the lowest need are left out first
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // REQUIRES: as many cells as columns.
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    // The titles, then the rows. `width` 0: as wide as they are.
    [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// The beginning and the end of a text that is too long, with a ~ between: of lock names both tell.
// `size` 0: the text as it is.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t size);

// At most six columns: "0ms", "350ms", "12.3s", "4m05s", "3h12m", "12d04h". Not negative.
[[nodiscard]] std::string spelt(Duration duration);

}  // namespace fencegate::cli::top
