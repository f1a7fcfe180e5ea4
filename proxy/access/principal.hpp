#pragma once
// Who is calling and what they may do. Owns: the spelling of scopes and principal names.
// Thread rule: plain values.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

// What a route asks for. A new one needs a spelling in principal.cpp and a line in docs/api.md.
enum class Scope : std::uint8_t {
    LocksRead,      // locks:read
    LocksWrite,     // locks:write
    PaymentsRead,   // payments:read
    PaymentsWrite,  // payments:write
    MetricsRead,    // metrics:read
    Admin,          // admin: break locks, drain
};

class ScopeSet {
public:
    ScopeSet() = default;
    // "*": every scope, those of later versions included. Not the same as naming them all today.
    [[nodiscard]] static ScopeSet all() noexcept;

    void add(Scope scope) noexcept;
    void add(ScopeSet scopes) noexcept { bits_ |= scopes.bits_; }
    [[nodiscard]] bool has(Scope scope) const noexcept;
    [[nodiscard]] bool is_empty() const noexcept { return bits_ == 0; }
    friend bool operator==(ScopeSet, ScopeSet) = default;

private:
    std::uint32_t bits_ = 0;
};

struct Principal {
    std::string name;
    ScopeSet scopes;
};

inline constexpr std::size_t kPrincipalBytesMax = 64;

// [A-Za-z0-9._-]{1,64}
[[nodiscard]] bool is_principal_name(std::string_view text) noexcept;

// One or more of the spellings above, or "*". Fails with: InvalidArgument, listing what there is.
[[nodiscard]] Result<ScopeSet> parse_scopes(std::span<const std::string> texts);

// What parse_scopes() reads: "*" alone, or the spellings.
[[nodiscard]] std::vector<std::string> to_texts(ScopeSet scopes);

}  // namespace fencegate::proxy
