#pragma once
// HeavyHitters: which names have the most, among however many, in bounded memory: the
// "space-saving" sketch. It keeps `capacity` names. A new name takes the place of the one that has
// least, and takes over its count as the error that its own count may have. Invariant 1: for every
// name, kept or not: at_least <= what was added for it <= at_most. Invariant 2: at_most - at_least
// <= total() / capacity, so a name with more than that is kept. Up to `capacity` names there is no
// error at all. Cost: a look-up for a name that is kept; one pass over the counts for one that is
// not. Thread rule: one thread at a time. Source: Metwally, Agrawal, El Abbadi: Efficient
// computation of frequent and top-k elements in data streams, 2005.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fencegate::proxy {

class HeavyHitters {
public:
    struct Item {
        std::string name;
        double at_least = 0;
        double at_most = 0;
    };

    // REQUIRES: capacity > 0.
    explicit HeavyHitters(std::size_t capacity) : capacity_(capacity) {}
    HeavyHitters(const HeavyHitters&) = delete;  // the index points to the names
    HeavyHitters& operator=(const HeavyHitters&) = delete;

    // REQUIRES: weight >= 0.
    void add(std::string_view name, double weight);
    void clear();

    [[nodiscard]] std::vector<Item> items() const;
    // What a name that is not kept has at most.
    [[nodiscard]] double floor() const;
    [[nodiscard]] double total() const noexcept { return total_; }
    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

private:
    [[nodiscard]] std::size_t place_of_least() const;

    std::size_t capacity_;
    double total_ = 0;
    // In the same order. The names never move: room for all of them is reserved with the first.
    std::vector<double> counts_;
    std::vector<double> errors_;
    std::vector<std::string> names_;
    std::unordered_map<std::string_view, std::size_t> places_;
};

}  // namespace fencegate::proxy
