#pragma once
// gzip: one body, compressed as a whole. For answers of the admin listener: it takes about a
// millisecond for each 200 KB of metrics, which no session thread has to spare.
// Thread rule: a pure function.
// Source: RFC 1952; zlib.h.

#include <string>
#include <string_view>

namespace fencegate::proxy {

[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace fencegate::proxy
