#include "lockmgr/quantile_sketch.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fencegate::lockmgr {
namespace {

constexpr std::size_t kToAPowerOfTwo = 32;
constexpr int kSignificantBits = 6;  // of a value: 32 to 63, then shifted

std::size_t bucket_of(std::uint32_t value) noexcept {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kSignificantBits);
    return static_cast<std::size_t>(shift) * kToAPowerOfTwo + (value >> shift);
}

// The greatest value in the bucket.
std::int64_t top_of(std::size_t bucket) noexcept {
    if (bucket < 2 * kToAPowerOfTwo) return static_cast<std::int64_t>(bucket);
    const auto shift = bucket / kToAPowerOfTwo - 1;
    const auto significant = static_cast<std::int64_t>(bucket - shift * kToAPowerOfTwo);
    return ((significant + 1) << shift) - 1;
}

}  // namespace

void QuantileSketch::record(std::int64_t value) {
    if (buckets_.empty()) buckets_.resize(bucket_of(value_max_) + 1);
    value = std::clamp<std::int64_t>(value, 0, value_max_);
    ++buckets_[bucket_of(static_cast<std::uint32_t>(value))];
    ++count_;
    max_ = std::max(max_, value);
}

void QuantileSketch::add(const QuantileSketch& other) {
    FG_CHECK(value_max_ == other.value_max_);
    if (other.count_ == 0) return;
    if (buckets_.empty()) buckets_.resize(other.buckets_.size());
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket)
        buckets_[bucket] += other.buckets_[bucket];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

void QuantileSketch::clear() {
    std::ranges::fill(buckets_, 0U);
    count_ = 0;
    max_ = 0;
}

std::int64_t QuantileSketch::quantile(double fraction) const {
    const auto wanted =
        static_cast<std::uint64_t>(std::max(1., std::ceil(fraction * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= wanted) return std::min(top_of(bucket), max_);
    }
    return max_;
}

bool QuantileSketch::are_alike(std::int64_t left, std::int64_t right) noexcept {
    return bucket_of(static_cast<std::uint32_t>(left)) ==
           bucket_of(static_cast<std::uint32_t>(right));
}

}  // namespace fencegate::lockmgr
