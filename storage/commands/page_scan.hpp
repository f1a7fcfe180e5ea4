#pragma once
// scan_page: one page of a list that shows the newest first, in either direction, that looks at no
// more than kRowsLookedAt rows: a rare filter gives short pages, not a store that stands still. Nor
// does it take more once it has kPageBytes: slow readers of long rows must not fill the memory.
// Thread rule: as what it is given to read with.

#include "storage/model/command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace fencegate::storage {

inline constexpr int kRowsLookedAt = 1'000;
inline constexpr std::size_t kPageBytes = std::size_t{256} << 10;
// Of a document without what a client put into it, about.
inline constexpr std::size_t kRowBytes = 400;

// `read(older, beside, limit)` returns rows from nearest to farthest; `id_of(row)` is where a row
// stands; `take(row)` adds it to the page and says how many bytes it has there, about: none where
// the filter leaves it out. The page is in the order of reading; the caller turns it round if
// `place` looks towards the newer. Sets the cursors of `answer`.
template <class Read, class IdOf, class Take>
void scan_page(const Place& place, int limit, Answer& answer, Read read, IdOf id_of, Take take) {
    const bool is_older = place.side != Place::Side::Newer;
    const auto beside =
        place.side == Place::Side::Newest ? std::numeric_limits<std::int64_t>::max() : place.entry;
    int looked_at = 0;
    int taken = 0;
    std::size_t bytes = 0;
    const auto is_full = [&] { return taken >= limit || bytes >= kPageBytes; };
    auto last = beside;
    bool has_more = true;
    while (has_more && looked_at < kRowsLookedAt && !is_full()) {
        // One more than is looked at tells whether there is another page.
        const int step = std::min(2 * limit, kRowsLookedAt - looked_at);
        const auto rows = read(is_older, last, step + 1);
        int at = 0;
        const int count = static_cast<int>(rows.size());
        for (; at < std::min(step, count) && !is_full(); ++at) {
            last = id_of(rows[static_cast<std::size_t>(at)]);
            const std::size_t size = take(rows[static_cast<std::size_t>(at)]);
            bytes += size;
            if (size > 0) ++taken;
        }
        looked_at += at;
        has_more = at < count;
    }
    const auto onwards = [&](Place::Side side, std::int64_t entry) {
        return place_text({.side = side, .entry = entry});
    };
    if (is_older) {
        if (has_more) answer.next_cursor = onwards(Place::Side::Older, last);
        if (place.side == Place::Side::Older)
            answer.previous_cursor =
                onwards(Place::Side::Newer, std::max<std::int64_t>(beside, 1) - 1);
    } else {
        if (has_more) answer.previous_cursor = onwards(Place::Side::Newer, last);
        answer.next_cursor = onwards(Place::Side::Older, std::min(beside, kEntryMax - 1) + 1);
    }
}

}  // namespace fencegate::storage
