// The gateway that the double-refund test compares with: the product in every object but this one,
// which takes the place of lockmgr/check_fence.cpp and lets every write through.
// Never installed; built for that one test.
#include "lockmgr/fence_rule.hpp"

namespace fencegate::lockmgr {

FenceVerdict check_fence(const Lease*, const LockName*, std::string_view, bool) noexcept {
    return FenceVerdict::Accepted;
}

}  // namespace fencegate::lockmgr
