#include "storage/model/reading.hpp"

#include <charconv>

namespace fencegate::storage {

std::string place_text(const Place& place) {
    if (place.side == Place::Side::Newest) return {};
    return (place.side == Place::Side::Older ? "o" : "n") + std::to_string(place.entry);
}

std::optional<Place> parse_place(std::string_view text) noexcept {
    if (text.size() < 2 || (text[0] != 'o' && text[0] != 'n')) return std::nullopt;
    if (text[1] == '0' && text.size() > 2) return std::nullopt;
    Place place{.side = text[0] == 'o' ? Place::Side::Older : Place::Side::Newer};
    const auto* end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data() + 1, end, place.entry);
    if (ec != std::errc{} || at != end || place.entry < 0 || place.entry > kEntryMax)
        return std::nullopt;
    return place;
}

}  // namespace fencegate::storage
