#pragma once
// An HTTP answer as a test sees it, with the accessors that keep assertions on one line.
//
// Thread rule: a value. Errors: a JSON accessor throws std::runtime_error, quoting the answer, when
// the body is not JSON or the member is absent or of another type; has() never throws.

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
    int status = 0;
    Headers headers;
    std::string body;

    // The first header of that name in any case, "" if there is none.
    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] std::size_t header_count(std::string_view name) const;

    // `member` is a top-level name, or a JSON pointer when it starts with '/': "/items/0/id".
    [[nodiscard]] bool has(std::string_view member) const;
    [[nodiscard]] std::string json_text(std::string_view member) const;
    [[nodiscard]] std::int64_t json_int(std::string_view member) const;
    [[nodiscard]] bool json_bool(std::string_view member) const;
    // Elements of an array, members of an object.
    [[nodiscard]] std::size_t json_size(std::string_view member) const;
};

// For failures: the whole of it.
void PrintTo(const Response& response, std::ostream* out);  // NOLINT: the name that gTest looks for

// Status and headers of "HTTP/1.1 200 OK\r\n…\r\n\r\n". Throws std::runtime_error when malformed.
[[nodiscard]] Response parse_head(std::string_view head);

}  // namespace fencegate::testing
