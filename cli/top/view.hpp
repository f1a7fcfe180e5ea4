#pragma once
// The picture of `fencegate top`: a model and what the user asked for become lines of text.
// Owns: what is shown where, and that every text from outside is made printable. Refuses to own:
// the terminal. Invariant: at most `height` lines of at most `width` columns.
// Thread rule: pure functions.

#include "cli/top/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fencegate::cli::top {

enum class Sort : std::uint8_t { Waiting, Left, Held, Name };
inline constexpr std::array<std::string_view, 4> kSortNames{"waiting", "least left", "longest held",
                                                            "name"};

struct ViewState {
    std::string url{};
    std::size_t width = 0;   // 0: as wide as it gets
    std::size_t height = 0;  // 0: everything there is
    Sort sort = Sort::Waiting;
    std::string prefix{};                  // only locks that begin with it
    std::optional<std::string> editing{};  // the prefix that is being typed
    bool is_paused = false;
    bool has_keys = false;   // says which there are
    std::size_t scroll = 0;  // locks above the picture
};

enum class Tone : std::uint8_t { Plain, Bar, Heading, Faint, Warning, Alarm };

struct Line {
    std::string text{};
    Tone tone = Tone::Plain;
};

// `now` is the gateway's. While the connection is lost, the time of its loss is shown.
[[nodiscard]] std::vector<Line> render(const Model& model, const ViewState& state, WallTime now);

}  // namespace fencegate::cli::top
