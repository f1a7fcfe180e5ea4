#pragma once
// The limits of a payment's metadata, which are Stripe's: labels, not documents.
// Thread rule: pure functions.
// Source: https://docs.stripe.com/api/metadata (50 keys of 40, values of 500 characters).

#include "base/result.hpp"

#include <cstddef>
#include <string_view>

namespace fencegate::proxy {

inline constexpr std::size_t kMetadataMembersMax = 50;
inline constexpr std::size_t kMetadataNameBytesMax = 40;
inline constexpr std::size_t kMetadataValueBytesMax = 500;

// REQUIRES: `object` is as JsonBody::object() returns it: valid and compact, or empty.
// Fails with: InvalidArgument, naming the member.
[[nodiscard]] Result<> check_metadata(std::string_view object);

}  // namespace fencegate::proxy
