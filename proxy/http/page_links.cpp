#include "proxy/http/page_links.hpp"

#include "base/hex.hpp"

namespace fencegate::proxy {
namespace {

// Everything but the unreserved characters of RFC 3986: no ">" or quote can end the link early.
void append_escaped(std::string_view text, std::string& out) {
    for (const char letter : text) {
        const bool is_plain = (letter >= 'a' && letter <= 'z') ||
                              (letter >= 'A' && letter <= 'Z') ||
                              (letter >= '0' && letter <= '9') ||
                              std::string_view("-._~").find(letter) != std::string_view::npos;
        if (is_plain)
            out += letter;
        else
            append_percent_escape(out, letter);
    }
}

void append_link(const Target& target, std::string_view cursor, std::string_view relation,
                 std::string& out) {
    if (cursor.empty()) return;
    if (!out.empty()) out.append(", ");
    out.append("<").append(target.path).append("?");
    for (const auto& [name, value] : target.query) {
        if (name == "cursor") continue;
        out.append(name).append("=");
        append_escaped(value, out);
        out.append("&");
    }
    out.append("cursor=");
    append_escaped(cursor, out);
    out.append(">; rel=\"").append(relation).append("\"");
}

}  // namespace

std::string page_links(const Target& target, std::string_view next_cursor,
                       std::string_view previous_cursor) {
    std::string links;
    append_link(target, next_cursor, "next", links);
    append_link(target, previous_cursor, "prev", links);
    return links;
}

}  // namespace fencegate::proxy
