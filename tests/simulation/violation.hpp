#pragma once
// Violation: a promise that was not kept. Thrown where it is found; it ends the run.
// Thread rule: a plain value.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fencegate::simulation {

// S1 to S7 as in docs/simulation.md; the others are what they lean on.
enum class Rule : std::uint8_t {
    S1TokensRise,
    S2AtomicFence,
    S3NoStaleWrite,
    S5Durable,
    S6OnceAKey,
    S7RefusalIsFinal,
    L1LeaseEnds,
    L2LeaseLasts,
    Exclusion,
    EndedStaysEnded,
    Fifo,
    WaiterHasLeft,
    WaiterTooLate,
    LostWakeUp,
    Holder,
    Money,
    Timers,
    Record,
    Kept,
    AllOrNone,
    RunOnce,
    Quota,
    Answer,
};

[[nodiscard]] constexpr std::string_view rule_name(Rule rule) noexcept {
    switch (rule) {
        case Rule::S1TokensRise: return "S1 tokens only rise";
        case Rule::S2AtomicFence: return "S2 a write needs the live grant";
        case Rule::S3NoStaleWrite: return "S3 nothing stale after a newer grant was told";
        case Rule::S5Durable: return "S5 what was told is durable";
        case Rule::S6OnceAKey: return "S6 one effect and one answer a key";
        case Rule::S7RefusalIsFinal: return "S7 a refusal has no effect";
        case Rule::L1LeaseEnds: return "L1 a lease ends in time";
        case Rule::L2LeaseLasts: return "L2 a lease lasts as long as was told";
        case Rule::Exclusion: return "holders fit beside each other";
        case Rule::EndedStaysEnded: return "an ended lease stays ended";
        case Rule::Fifo: return "first come, first served";
        case Rule::WaiterHasLeft: return "who has left is never granted";
        case Rule::WaiterTooLate: return "nobody is granted past its deadline";
        case Rule::LostWakeUp: return "a free lock is granted to who waits";
        case Rule::Holder: return "a lease belongs to its principal";
        case Rule::Money: return "money adds up";
        case Rule::Timers: return "timers follow the rows";
        case Rule::Record: return "history is complete";
        case Rule::Kept: return "nothing is forgotten before its time, everything after";
        case Rule::AllOrNone: return "a lease has all its locks";
        case Rule::RunOnce: return "a run is done once";
        case Rule::Quota: return "a quota is kept";
        case Rule::Answer: return "the answer is the documented one";
    }
    return "";
}

class Violation : public std::runtime_error {
public:
    Violation(Rule broken, const std::string& what) : std::runtime_error(what), rule(broken) {}
    Rule rule;
};

}  // namespace fencegate::simulation
