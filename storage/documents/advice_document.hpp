#pragma once
// The JSON of the advice on a lock class's TTL. Thread rule: pure functions.

#include "lockmgr/ttl_advice.hpp"

#include <string>

namespace fencegate::storage {

// `window` is how far back the figures go.
[[nodiscard]] std::string advice_document(const lockmgr::LockClass& klass,
                                          const lockmgr::TtlFigures& figures,
                                          std::chrono::seconds window);

}  // namespace fencegate::storage
