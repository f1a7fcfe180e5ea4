#pragma once
// Run once: one claim per job and scheduled instant ("slot"), whoever asks and whatever its clock.
//
//            claim                 finish
//   (none) --------> CLAIMED ---------------> DONE     final
//                     |  ^  |
//           its lease |  |  +---------------> FAILED   may be claimed again
//              ended  +--+ claim again, higher token
//   (none) --------> MISSED   first asked for after its grace: final
//
// Whether a slot is due or missed is judged by the gateway's wall clock: it decides when a run may
// begin, never which of two claims is good. That is the fence's.
// Thread rule: pure functions and plain values.

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::lockmgr {

// Written to disk: never renumber.
enum class RunState : std::uint8_t { Claimed = 0, Done = 1, Failed = 2, Missed = 3 };

[[nodiscard]] std::string_view run_state_name(RunState state) noexcept;

// A scheduled instant, spelt in one way only: 2026-11-23T02:00:00Z.
class RunSlot {
public:
    // Fails with: InvalidArgument. No offset, no fraction, no leap second: two spellings of one
    // instant would be two runs.
    [[nodiscard]] static Result<RunSlot> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] WallTime instant() const noexcept { return instant_; }

private:
    RunSlot(std::string_view text, WallTime instant) : text_(text), instant_(instant) {}
    std::string text_;
    WallTime instant_;
};

enum class ClaimDecision : std::uint8_t { Claim, Miss };

// What becomes of a claim. `state` is what is recorded, if anything. `start_within`: how long after
// its instant a run may begin for the first time; nullopt: whenever.
// Fails with: RunDone, RunMissed, RunNotDue.
[[nodiscard]] Result<ClaimDecision> decide_claim(std::optional<RunState> state, const RunSlot& slot,
                                                 std::optional<Duration> start_within,
                                                 WallTime now);

}  // namespace fencegate::lockmgr
