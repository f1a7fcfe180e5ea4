// Feeds any bytes to the target parser. An accepted path must be rebuilt byte for byte from its
// segments, so that one lock has one spelling; an accepted query must survive being written again.
#include "lockmgr/lock_name.hpp"
#include "proxy/http/target.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using fencegate::lockmgr::LockName;
using fencegate::proxy::parse_target;
using fencegate::proxy::Target;

void require(bool condition) {
    if (!condition) std::abort();
}

std::string escape_all(std::string_view text) {
    constexpr std::string_view kHexDigits = "0123456789ABCDEF";
    std::string escaped;
    for (const char byte : text) {
        const auto code = static_cast<std::uint8_t>(byte);
        escaped += {'%', kHexDigits[code >> 4], kHexDigits[code & 15]};
    }
    return escaped;
}

void check_path(const Target& target) {
    std::string rebuilt;
    for (const auto segment : target.segments) {
        require(!segment.empty() && segment != "." && segment != "..");
        require(segment.find_first_of("%\\/?#") == std::string_view::npos);
        (rebuilt += '/') += segment;
    }
    require(target.path == (rebuilt.empty() ? "/" : rebuilt));
}

void check_lock_name(const Target& target) {
    if (target.segments.size() < 3) return require(target.tail(2).empty());
    const auto name = LockName::parse(target.tail(2));
    if (!name) return;
    const auto lock_target = "/v1/locks/" + name->value();  // a Target views its text
    const auto again = parse_target(lock_target);
    require(again && again->tail(2) == name->value());
}

void check_query(const Target& target) {
    std::string rebuilt = "/?";
    for (const auto& [name, value] : target.query) {
        require(value.find('\0') == std::string::npos);
        if (rebuilt.size() > 2) rebuilt += '&';
        rebuilt += std::string(name) + '=' + escape_all(value);
    }
    const auto again = parse_target(rebuilt);
    require(again && again->query == target.query);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto target = parse_target(bytes);
    // A lock name reaches its lock exactly as it is, or not at all.
    const auto name = LockName::parse(bytes);
    const auto lock_target = "/v1/locks/" + std::string(bytes);
    if (name) require(parse_target(lock_target).value().tail(2) == bytes);
    if (!target) return 0;
    check_path(*target);
    check_lock_name(*target);
    check_query(*target);
    return 0;
}
