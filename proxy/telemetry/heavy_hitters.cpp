#include "proxy/telemetry/heavy_hitters.hpp"

#include <algorithm>

namespace fencegate::proxy {

void HeavyHitters::add(std::string_view name, double weight) {
    total_ += weight;
    if (const auto found = places_.find(name); found != places_.end()) {
        counts_[found->second] += weight;
        return;
    }
    if (names_.size() < capacity_) {
        names_.reserve(capacity_);
        names_.emplace_back(name);
        counts_.push_back(weight);
        errors_.push_back(0);
        places_.emplace(names_.back(), names_.size() - 1);
        return;
    }
    const auto place = place_of_least();
    places_.erase(names_[place]);
    names_[place] = name;
    places_.emplace(names_[place], place);
    errors_[place] = counts_[place];
    counts_[place] += weight;
}

void HeavyHitters::clear() {
    places_.clear();
    names_.clear();
    counts_.clear();
    errors_.clear();
    total_ = 0;
}

std::vector<HeavyHitters::Item> HeavyHitters::items() const {
    std::vector<Item> items;
    items.reserve(names_.size());
    for (std::size_t place = 0; place < names_.size(); ++place)
        items.push_back({names_[place], counts_[place] - errors_[place], counts_[place]});
    return items;
}

double HeavyHitters::floor() const {
    return names_.size() < capacity_ ? 0 : counts_[place_of_least()];
}

std::size_t HeavyHitters::place_of_least() const {
    return static_cast<std::size_t>(std::ranges::min_element(counts_) - counts_.begin());
}

}  // namespace fencegate::proxy
