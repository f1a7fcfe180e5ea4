#include "cli/top/table.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace fencegate::cli::top {
namespace {

constexpr std::size_t kGap = 2;

struct Slot {
    std::size_t column = 0;
    std::size_t width = 0;
};

std::size_t width_of(const std::vector<Slot>& slots) {
    const auto gaps = slots.empty() ? 0 : (slots.size() - 1) * kGap;
    return std::accumulate(slots.begin(), slots.end(), gaps,
                           [](std::size_t sum, const Slot& slot) { return sum + slot.width; });
}

// Takes `excess` from the widest columns that may be shortened; false if that was not enough.
bool shorten(std::vector<Slot>& slots, const std::vector<Column>& columns, std::size_t excess) {
    const auto can_give = [&](const Slot& slot) {
        const auto shortest = columns[slot.column].shortest;
        return shortest > 0 && slot.width > shortest;
    };
    for (; excess > 0; --excess) {
        Slot* widest = nullptr;
        for (auto& slot : slots) {
            if (can_give(slot) && (widest == nullptr || slot.width > widest->width)) widest = &slot;
        }
        if (widest == nullptr) return false;
        --widest->width;
    }
    return true;
}

std::string padded(std::string text, const Slot& slot, const Column& column) {
    const auto blanks = slot.width - std::min(slot.width, text.size());
    return column.is_right_aligned ? text.insert(0, blanks, ' ') : text.append(blanks, ' ');
}

std::string two_parts(std::int64_t big, char big_unit, std::int64_t small, char small_unit) {
    char text[24];
    std::snprintf(text, sizeof text, "%lld%c%02lld%c", static_cast<long long>(big), big_unit,
                  static_cast<long long>(small), small_unit);
    return text;
}

}  // namespace

std::vector<std::string> Table::lines(std::size_t width) const {
    std::vector<Slot> wanted;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        auto size = columns_[column].title.size();
        for (const auto& row : rows_) size = std::max(size, row[column].size());
        wanted.push_back({column, size});
    }
    auto slots = wanted;
    while (width > 0 && width_of(slots) > width) {
        if (shorten(slots, columns_, width_of(slots) - width)) break;
        if (wanted.size() == 1) {
            slots.front().width = width;
            break;
        }
        wanted.erase(std::ranges::min_element(
            wanted, {}, [this](const Slot& slot) { return columns_[slot.column].need; }));
        slots = wanted;
    }
    std::vector<std::string> lines;
    const auto write = [&](const auto& text_of) {
        std::string line;
        for (const auto& slot : slots) {
            if (!line.empty()) line.append(kGap, ' ');
            line +=
                padded(shortened(text_of(slot.column), slot.width), slot, columns_[slot.column]);
        }
        line.resize(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    };
    write([this](std::size_t column) { return columns_[column].title; });
    for (const auto& row : rows_) write([&row](std::size_t column) { return row[column]; });
    return lines;
}

std::string shortened(std::string_view text, std::size_t size) {
    if (size == 0 || text.size() <= size) return std::string(text);
    const auto tail = (size - 1) / 2;
    const auto head = size - 1 - tail;
    return std::string(text.substr(0, head)).append("~").append(text.substr(text.size() - tail));
}

std::string spelt(Duration duration) {
    const auto ms = std::max<std::int64_t>(duration.count(), 0);
    const auto seconds = ms / 1'000;
    if (ms < 1'000) return std::to_string(ms) + "ms";
    if (seconds < 60) return std::to_string(seconds) + "." + std::to_string(ms % 1'000 / 100) + "s";
    if (seconds < 3'600) return two_parts(seconds / 60, 'm', seconds % 60, 's');
    const auto hours = seconds / 3'600;
    if (hours < 24) return two_parts(hours, 'h', seconds % 3'600 / 60, 'm');
    const auto days = hours / 24;
    if (days < 100) return two_parts(days, 'd', hours % 24, 'h');
    return std::to_string(days) + "d";
}

}  // namespace fencegate::cli::top
