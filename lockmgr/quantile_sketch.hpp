#pragma once
// QuantileSketch: how values are spread, in memory that does not grow with their number: log-linear
// buckets, 32 to a power of two, as HdrHistogram has them. A quantile is at most 1/32 (3.1 %) too
// high and never too low; below 64 it is exact. Sketches of several times can be added up.
// Cost: an increment a value; 3.6 KB up to 2^32 - 1, 0.8 KB up to 1000, nothing before the first.
// Thread rule: one thread at a time.
// Source: hdrhistogram.github.io; the same error bound as DDSketch (Masson et al. 2019) without a
// logarithm for each value.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fencegate::lockmgr {

class QuantileSketch {
public:
    // Greater values count as `value_max`. REQUIRES: value_max >= 32.
    explicit QuantileSketch(std::uint32_t value_max) : value_max_(value_max) {}

    // Negative values count as 0.
    void record(std::int64_t value);
    // REQUIRES: the same value_max.
    void add(const QuantileSketch& other);
    void clear();

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::int64_t max() const noexcept { return max_; }
    // What at least `fraction` of the values do not exceed; never more than max(). 0 when empty.
    // REQUIRES: 0 < fraction <= 1.
    [[nodiscard]] std::int64_t quantile(double fraction) const;

    // Whether quantile() cannot tell the two apart.
    [[nodiscard]] static bool are_alike(std::int64_t left, std::int64_t right) noexcept;

private:
    std::uint32_t value_max_;
    std::vector<std::uint32_t> buckets_;
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
};

}  // namespace fencegate::lockmgr
