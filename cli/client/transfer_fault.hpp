#pragma once
// Why a request got no answer, in words an operator can act on: who, what is wrong, what to do.
// Owns: those words. Refuses to own: noticing (transfer.cpp). Internal to cli/client/: it pulls in
// libcurl. Thread rule: pure functions.
// Errors: fail_start(CannotRead) for a CA file that is none, fail_start(Unavailable) for the rest.

#include "cli/client/https_client.hpp"

#include <curl/curl.h>

namespace fencegate::cli {

struct TransferFault {
    CURLcode code;         // CURLE_OPERATION_TIMEDOUT also for one that the caller gave up
    CURL* transfer;        // knows how far it came
    std::string words;     // libcurl's own, "" if it had none
    bool has_begun;        // something of the answer came
    bool is_stream_begun;  // its head did, and it was a stream's
};

[[nodiscard]] Error error_of(const TransferFault& fault, const HttpsOptions& options);

// "host:port", for messages.
[[nodiscard]] std::string authority(const HttpsOptions& options);

}  // namespace fencegate::cli
