#include "cli/client/printable.hpp"

namespace fencegate::cli {

std::string printable(std::string_view text) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string shown;
    shown.reserve(text.size());
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '\\') {
            shown += "\\\\";
        } else if (byte >= 0x20 && byte < 0x7f) {
            shown += letter;
        } else {
            shown.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
        }
    }
    return shown;
}

}  // namespace fencegate::cli
