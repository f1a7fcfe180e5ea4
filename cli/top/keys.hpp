#pragma once
// What the keys of `fencegate top` do to the picture.
// Owns: reading keys from a terminal's bytes, and their meaning. Refuses to own: the terminal.
// Thread rule: pure functions.

#include "cli/top/view.hpp"

namespace fencegate::cli::top {

struct Key {
    enum class Kind : std::uint8_t { Letter, Enter, Escape, Backspace, Up, Down, PageUp, PageDown };
    Kind kind = Kind::Letter;
    char letter = 0;  // printable
    friend bool operator==(const Key&, const Key&) = default;
};

// Sequences that mean no key here are passed over.
[[nodiscard]] std::vector<Key> read_keys(std::string_view bytes);

// False: the user wants to leave.
[[nodiscard]] bool press(const Key& key, ViewState& state);

}  // namespace fencegate::cli::top
