#pragma once
// What a run is told: its seed, how long it is, and what is left out of it. And what the seed makes
// of the world: which engine it stands on, and all the rest; every run is another one, some without
// faults, some with nothing but.
// Thread rule: plain values. Errors: an unknown name is nullopt.

#include "lockmgr/lock_class.hpp"
#include "lockmgr/waiting_lines.hpp"
#include "storage/model/engine.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::simulation {

// What can happen in a run and can be left out of it. Faults first, then what clients ask for.
enum class Kind : std::uint8_t {
    Crash,       // the process dies; what it had answered may not have left
    Reboot,      // a crash or restart starts boot time anew
    PowerCut,    // and what was not synced is lost, in part, or in any order
    DiskError,   // one write or sync fails; in memory, one commit, which is made or not
    FullDisk,    // writes fail for a while
    Restart,     // drained and closed as an operator does
    Restore,     // a backup is put back
    Checkpoint,  // the log is copied into the database
    Stall,       // nothing is looked at for a while: a sync, or everything, hangs
    WallJump,    // the wall clock is set
    Hours,       // pass, and what is old is forgotten
    Loss,        // of a request or an answer
    Duplicate,   // of a request with a key
    Hold,        // a message arrives much later
    Pause,       // a client sleeps past its lease
    Disconnect,  // a client leaves while it waits
    Wait,
    KeyedAcquire,
    KeyedWrite,  // of what moves no money: renewals, releases, what leaders and runs say
    LastWrite,   // a write ends the lease it is made under
    Return,      // a client that left the line comes back under its key
    Renew,
    Release,
    Break,
    Forge,    // tokens and ids of others, or of nobody
    Zombie,   // a client writes under a lease it no longer has
    Capture,  // captures and cancels beside the refunds
    Read,
    ReusedKey,
    Shared,     // readers beside writers
    Semaphore,  // so many at once
    Several,    // locks under one lease
    Run,
    Election,
};
inline constexpr std::size_t kKinds = 34;
inline constexpr std::size_t kFaultKinds = 16;
using Kinds = std::bitset<kKinds>;

[[nodiscard]] std::string_view kind_name(Kind kind) noexcept;
[[nodiscard]] std::optional<Kinds> parse_kinds(std::string_view names);  // comma between them
[[nodiscard]] std::string kind_names(const Kinds& kinds);

// Whether it is a fault of what is on a disk. In memory no such thing happens. A reboot is one:
// rows in memory keep times of the boot that they were made in.
[[nodiscard]] bool needs_disk(Kind kind) noexcept;

enum class Engine : std::uint8_t { Memory, Sqlite };
[[nodiscard]] std::string_view engine_name(Engine engine) noexcept;
[[nodiscard]] std::optional<Engine> parse_engine(std::string_view name);

inline constexpr std::size_t kStepsUsual = 2'000;

struct Options {
    std::uint64_t seed = 1;
    std::size_t steps = kStepsUsual;
    Kinds without{};
    std::size_t clients = 0;         // 0: as the seed says
    std::optional<Engine> engine{};  // nullopt: as the seed says
    bool is_verbose = false;

    [[nodiscard]] bool allows(Kind kind) const noexcept {
        return !without[static_cast<std::size_t>(kind)] &&
               (engine != Engine::Memory || !needs_disk(kind));
    }
};

// What the run has, by its seed or because it was told. A world whose disk does nothing wrong is in
// memory, and so are others: it is several times faster.
[[nodiscard]] Engine engine_of(const Options& options);

// The arguments that repeat the run; the engine is always among them.
[[nodiscard]] std::string arguments(const Options& options);

// Chances are per mille.
struct Settings {
    std::size_t clients = 2;
    std::size_t principals = 1;
    std::size_t payments = 1;
    std::int64_t permits = 2;
    std::size_t other_locks = 0;  // of each further class
    bool has_long_leases = false;
    std::vector<lockmgr::LockClass> classes{};
    lockmgr::WaitLimits wait_limits{};
    storage::Retention retention{};
    std::size_t batch_max = 8;
    std::uint64_t fault_chance = 0;  // that a step begins with one of the faults of the store
    std::uint64_t stall_chance = 0;  // that a sync hangs
    Duration stall_max{1};
    std::uint64_t loss_chance = 0;
    std::uint64_t duplicate_chance = 0;
    std::uint64_t hold_chance = 0;
    std::uint64_t pause_chance = 0;
    std::uint64_t zombie_chance = 0;
    std::uint64_t hour_chance = 0;        // that an hour passes where a moment would
    std::uint64_t renew_chance = 0;       // of what a holder does
    std::uint64_t last_write_chance = 0;  // of writes under a token
    // Of the acquires.
    std::uint64_t shared_chance = 0;
    std::uint64_t semaphore_chance = 0;
    std::uint64_t several_chance = 0;
    std::uint64_t run_chance = 0;
    std::uint64_t election_chance = 0;
};

[[nodiscard]] Settings draw_settings(const Options& options);

}  // namespace fencegate::simulation
