#pragma once
// Text from outside made safe for a terminal: a lock's owner chooses its own label, and a label
// with an escape sequence in it could move the cursor, rename the window or hide lines.
// Owns: that escaping. Refuses to own: widths and layout. Thread rule: pure functions.

#include <string>
#include <string_view>

namespace fencegate::cli {

// Printable ASCII stays, a backslash is doubled, every other byte becomes \xNN. So what is shown
// has one column a byte, and two different texts never look the same.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace fencegate::cli
