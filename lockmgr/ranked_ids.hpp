#pragma once
// RankedIds: ids in order that also tell how many of them come before another. A line of ten
// thousand tells everybody its place, so counting along it is not an option.
// Cost: O(log n) for every change and question.
// Thread rule: belongs to one thread.

#include <cstddef>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <functional>

namespace fencegate::lockmgr {

template <class Id>
class RankedIds {
public:
    void insert(Id id) { ids_.insert(id); }
    void erase(Id id) { ids_.erase(id); }

    // How many ids are lower.
    [[nodiscard]] std::size_t rank_of(Id id) const { return ids_.order_of_key(id); }
    [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
    [[nodiscard]] bool empty() const noexcept { return ids_.empty(); }
    // The lowest first.
    [[nodiscard]] auto begin() const { return ids_.begin(); }
    [[nodiscard]] auto end() const { return ids_.end(); }

private:
    // std::set keeps no ranks. This one is part of libstdc++.
    __gnu_pbds::tree<Id, __gnu_pbds::null_type, std::less<Id>, __gnu_pbds::rb_tree_tag,
                     __gnu_pbds::tree_order_statistics_node_update>
        ids_;
};

}  // namespace fencegate::lockmgr
