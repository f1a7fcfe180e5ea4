#pragma once
// As much of an HTTP/1.1 answer as the benchmark needs: where it ends and five of its headers.
//
// The views point into the bytes given. No JSON, no chunked coding: the client must cost less than
// the server it measures.
// Thread rule: a pure function. Errors: State::Malformed, also for what is not supported.

#include <cstddef>
#include <string_view>

namespace fencegate::bench {

struct ParsedResponse {
    enum class State { Incomplete, Complete, Malformed };

    State state = State::Incomplete;
    int status = 0;
    std::size_t size = 0;  // head and body
    std::string_view fence_token;
    std::string_view fence_status;
    std::string_view location;
    std::string_view body;
    bool closes = false;  // Connection: close
};

[[nodiscard]] ParsedResponse parse_response(std::string_view received);

}  // namespace fencegate::bench
