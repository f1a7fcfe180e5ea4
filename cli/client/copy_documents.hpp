#pragma once
// What the admin listener says of a backup or a verification, read. Texts are made printable.
// Thread rule: pure functions, but for the progress, which goes to a terminal's standard error.

#include "base/result.hpp"
#include "cli/client/https_client.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace fencegate::cli {

inline constexpr int kLookMs = 200;  // how often a command that waits asks again

[[nodiscard]] std::string text_of(const boost::json::object& document, std::string_view name);
[[nodiscard]] long long number_of(const boost::json::object& document, std::string_view name);

// The document of a 2xx. What is to be done about some refusals is known here.
// Fails with: StartFailure InUse (another copy is being made), CannotCreate (no room), Unavailable,
// NotPermitted.
[[nodiscard]] Result<boost::json::object> document_of(const Result<HttpReply>& reply);

// What went wrong with the copy that `document` tells of as failed. `what`: "The backup failed".
[[nodiscard]] std::unexpected<Error> failure_in(const boost::json::object& document,
                                                std::string_view what);

void show_progress(const boost::json::object& status);

}  // namespace fencegate::cli
