#include "cli/top/keys.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::cli::top {
namespace {

constexpr std::size_t kPrefixBytesMax = 128;  // of a lock name
constexpr std::size_t kPage = 10;
constexpr char kEscape = '\x1b';

struct Sequence {
    std::string_view bytes;
    Key::Kind kind;
};
// With and without the cursor keys' application mode.
constexpr std::array kSequences{
    Sequence{"[A", Key::Kind::Up},      Sequence{"OA", Key::Kind::Up},
    Sequence{"[B", Key::Kind::Down},    Sequence{"OB", Key::Kind::Down},
    Sequence{"[5~", Key::Kind::PageUp}, Sequence{"[6~", Key::Kind::PageDown},
};

// Where the sequence that begins `rest`, behind its escape, ends: ECMA-48 5.4.
std::size_t size_of_sequence(std::string_view rest) {
    if (rest.starts_with('O')) return std::min<std::size_t>(2, rest.size());
    if (!rest.starts_with('[')) return 0;
    for (std::size_t at = 1; at < rest.size(); ++at) {
        if (rest[at] >= '@' && rest[at] <= '~') return at + 1;
    }
    return rest.size();
}

void edit(const Key& key, ViewState& state) {
    auto& text = *state.editing;
    switch (key.kind) {
        case Key::Kind::Letter:
            if (text.size() < kPrefixBytesMax) text += key.letter;
            return;
        case Key::Kind::Backspace:
            if (!text.empty()) text.pop_back();
            return;
        case Key::Kind::Enter:
            state.prefix = *std::exchange(state.editing, std::nullopt);
            state.scroll = 0;
            return;
        case Key::Kind::Escape: state.editing.reset(); return;
        case Key::Kind::Up:
        case Key::Kind::Down:
        case Key::Kind::PageUp:
        case Key::Kind::PageDown: return;
    }
}

bool press_letter(char letter, ViewState& state) {
    switch (letter) {
        case 'q':
        case 'Q': return false;
        case 's':
            state.sort = static_cast<Sort>((std::to_underlying(state.sort) + 1) %
                                           static_cast<int>(kSortNames.size()));
            state.scroll = 0;
            return true;
        case '/': state.editing = state.prefix; return true;
        case 'p': state.is_paused = !state.is_paused; return true;
        default: return true;
    }
}

}  // namespace

std::vector<Key> read_keys(std::string_view bytes) {
    std::vector<Key> keys;
    while (!bytes.empty()) {
        const char byte = bytes.front();
        bytes.remove_prefix(1);
        if (byte == kEscape) {
            const auto sequence = bytes.substr(0, size_of_sequence(bytes));
            bytes.remove_prefix(sequence.size());
            const auto* known = std::ranges::find(kSequences, sequence, &Sequence::bytes);
            if (known != kSequences.end()) keys.push_back({known->kind});
            if (sequence.empty()) keys.push_back({Key::Kind::Escape});
        } else if (byte == '\r' || byte == '\n') {
            keys.push_back({Key::Kind::Enter});
        } else if (byte == '\x7f' || byte == '\b') {
            keys.push_back({Key::Kind::Backspace});
        } else if (byte >= ' ' && byte < '\x7f') {
            keys.push_back({Key::Kind::Letter, byte});
        }
    }
    return keys;
}

bool press(const Key& key, ViewState& state) {
    if (state.editing) {
        edit(key, state);
        return true;
    }
    switch (key.kind) {
        case Key::Kind::Letter: return press_letter(key.letter, state);
        case Key::Kind::Up: state.scroll -= std::min<std::size_t>(state.scroll, 1); return true;
        case Key::Kind::PageUp: state.scroll -= std::min(state.scroll, kPage); return true;
        case Key::Kind::Down: state.scroll = std::min(state.scroll + 1, kLocksMax); return true;
        case Key::Kind::PageDown:
            state.scroll = std::min(state.scroll + kPage, kLocksMax);
            return true;
        case Key::Kind::Enter:
        case Key::Kind::Escape:
        case Key::Kind::Backspace: return true;
    }
    return true;
}

}  // namespace fencegate::cli::top
