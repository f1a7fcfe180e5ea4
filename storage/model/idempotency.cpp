#include "storage/model/idempotency.hpp"

#include "base/digest.hpp"

#include <algorithm>

namespace fencegate::storage {

KeyDigest key_digest(std::string_view principal, std::string_view key) {
    KeyDigest digest;
    std::ranges::copy_n(sha256({principal, key}).begin(), digest.size(), digest.begin());
    return digest;
}

}  // namespace fencegate::storage
