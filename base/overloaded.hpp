#pragma once
// Overloaded: lambdas as one visitor of std::visit, an alternative each.
// Thread rule: a plain value.
// Source: cppreference, std::visit, the `overloads` of its example.

namespace fencegate {

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

}  // namespace fencegate
