#include "cli/client/printable.hpp"

#include "base/hex.hpp"

namespace fencegate::cli {

std::string printable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '\\') {
            shown += "\\\\";
        } else if (byte >= 0x20 && byte < 0x7f) {
            shown += letter;
        } else {
            append_hex(shown.append("\\x"), byte);
        }
    }
    return shown;
}

}  // namespace fencegate::cli
