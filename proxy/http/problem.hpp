#pragma once
// Problem documents: the one place where an ErrorCode becomes an HTTP status and a body.
// Thread rule: pure functions. Source: RFC 9457.

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace fencegate::proxy {

struct ProblemKind {
    int status;
    std::string_view title;
    bool is_retryable;  // the same request may succeed later, unchanged
};

[[nodiscard]] ProblemKind problem_kind(ErrorCode code) noexcept;

// The application/problem+json body.
[[nodiscard]] std::string problem_document(const Error& error, std::string_view request_id);

}  // namespace fencegate::proxy
