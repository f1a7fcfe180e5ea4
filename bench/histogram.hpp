#pragma once
// Latencies in log-linear buckets, as HdrHistogram does: 64 buckets to a power of two, so that a
// percentile is at most 1.6 % too high, whatever its size, and recording costs an increment.
//
// Thread rule: one thread; merge() adds the histograms of others once they are done.
// Errors: none. A negative value counts as 0.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fencegate::bench {

class Histogram {
public:
    Histogram();

    void record(std::int64_t value);
    void merge(const Histogram& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::int64_t max() const { return max_; }
    [[nodiscard]] double mean() const;
    // The smallest bucket bound that at least `fraction` of the values do not exceed; never more
    // than max(). 0 when empty. REQUIRES: 0 <= fraction <= 1.
    [[nodiscard]] std::int64_t percentile(double fraction) const;

private:
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
    [[nodiscard]] static std::uint64_t upper_bound_of(std::size_t bucket);

    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace fencegate::bench
