#pragma once
// page_links: the Link header of a page (RFC 8288): the same request with another cursor.
// Thread rule: pure functions.

#include "proxy/http/target.hpp"

#include <string>
#include <string_view>

namespace fencegate::proxy {

// `</v1/payments?limit=2&cursor=o7>; rel="next"`, and rel="prev". Empty if both cursors are.
[[nodiscard]] std::string page_links(const Target& target, std::string_view next_cursor,
                                     std::string_view previous_cursor);

}  // namespace fencegate::proxy
