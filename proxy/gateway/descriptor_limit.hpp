#pragma once
// The process's limit of open files, raised as far as the system lets it, and what is left of it
// for connections. Thread rule: call at start, on the main thread.

#include "base/log.hpp"

#include <cstddef>

namespace fencegate::proxy {

void raise_descriptor_limit();

// `connections_max`, or less if the limit is lower; then the log says so.
[[nodiscard]] std::size_t connections_allowed(std::size_t connections_max, const Log& log);

}  // namespace fencegate::proxy
