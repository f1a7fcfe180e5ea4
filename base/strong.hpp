#pragma once
// Strong<Tag, Rep>: a value that cannot be mistaken for another of the same representation.
// Explicit in, value() out, ordered and hashable; deliberately no arithmetic.
// Thread rule: a plain value.

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace fencegate {

template <class Tag, class Rep>
class Strong {
public:
    using rep = Rep;

    Strong() = default;
    explicit constexpr Strong(Rep value) : value_(std::move(value)) {}

    [[nodiscard]] constexpr const Rep& value() const noexcept { return value_; }

    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

private:
    Rep value_{};
};

}  // namespace fencegate

template <class Tag, class Rep>
struct std::hash<fencegate::Strong<Tag, Rep>> {
    std::size_t operator()(const fencegate::Strong<Tag, Rep>& strong) const noexcept {
        return std::hash<Rep>{}(strong.value());
    }
};
