#pragma once
// Trace: what happened in a run, one line an event. Keeps the last lines for whoever has to find
// out why, and one hash over all of them: two runs of a seed that differ anywhere differ in it.
// Thread rule: one thread. Errors: none.

#include <concepts>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace fencegate::simulation {

namespace internal {
inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, std::integral auto part) { out += std::to_string(part); }
}  // namespace internal

template <class... Parts>
[[nodiscard]] std::string text_of(const Parts&... parts) {
    std::string out;
    (internal::append(out, parts), ...);
    return out;
}

using Tally = std::map<std::string, std::uint64_t>;

class Trace {
public:
    explicit Trace(bool is_verbose) : is_verbose_(is_verbose) {}

    void add(std::string line);
    // Goes into the hash alone: bodies of answers, which would only hide the line.
    void hash(std::string_view bytes) noexcept;
    // For the tally of a long run, which tells whether anything worth testing happened at all.
    void count(const std::string& what) { ++tally_[what]; }

    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
    [[nodiscard]] const std::deque<std::string>& last() const noexcept { return last_; }

private:
    bool is_verbose_;
    std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a, 64 bits
    std::deque<std::string> last_;
    Tally tally_;
};

}  // namespace fencegate::simulation
