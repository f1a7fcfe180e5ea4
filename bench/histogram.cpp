#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fencegate::bench {
namespace {

constexpr unsigned kSubBits = 6;
constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBits;
// A value has at most 63 bits; the first two groups share shift 0.
constexpr std::size_t kBuckets = (63 - kSubBits + 1) * kSubBuckets;

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

// Values below 128 have a bucket each. Above, the top seven bits choose: the first is always set,
// so a group of 64 follows each power of two, without a gap.
std::size_t Histogram::bucket_of(std::uint64_t value) {
    if (value < 2 * kSubBuckets) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - (kSubBits + 1);
    return shift * kSubBuckets + static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::upper_bound_of(std::size_t bucket) {
    if (bucket < 2 * kSubBuckets) return bucket;
    const auto shift = bucket / kSubBuckets - 1;
    const auto top = static_cast<std::uint64_t>(bucket - shift * kSubBuckets);
    return ((top + 1) << shift) - 1;
}

void Histogram::record(std::int64_t value) {
    value = std::max<std::int64_t>(value, 0);
    ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
    ++count_;
    max_ = std::max(max_, value);
    sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::int64_t Histogram::percentile(double fraction) const {
    const auto wanted =
        std::max(std::uint64_t{1},
                 static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= wanted) return std::min(static_cast<std::int64_t>(upper_bound_of(i)), max_);
    }
    return max_;
}

}  // namespace fencegate::bench
