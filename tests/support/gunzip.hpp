#pragma once
// What a client does with "Content-Encoding: gzip".
// Thread rule: a pure function. Errors: std::runtime_error when it is not one whole gzip member.

#include <string>
#include <string_view>

namespace fencegate::testing {

[[nodiscard]] std::string gunzip(std::string_view compressed);

}  // namespace fencegate::testing
