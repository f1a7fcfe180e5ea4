#pragma once
// MemoryGround: the engine in memory. Its tables outlive the process: what was committed is there
// for the next one, what was not is gone. A commit can find no room, or be the last thing that the
// process does, made or not.
// Thread rule: one thread. Errors: none.

#include "storage/memory/memory_store.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/memory_rows.hpp"

#include <optional>

namespace fencegate::simulation {

class MemoryGround final : public Ground {
public:
    MemoryGround(testing::SeededRandom& random, MidCommit mid_commit);

    // The tables keep times of this clock, so it must be the same one in every life.
    [[nodiscard]] std::unique_ptr<storage::Store> open(const Clock& clock) override;
    void serve() override;
    [[nodiscard]] RowReader& rows() override { return *rows_; }
    void leave() override { rows_.reset(); }

    void be_sound() override;
    [[nodiscard]] std::size_t strikes() const override { return strikes_; }
    [[nodiscard]] bool is_planned() const override { return fault_ != Fault::None; }
    void fail_soon() override;
    void fill() override;

private:
    // What the next commits come to that have something to keep.
    enum class Fault : std::uint8_t {
        None,
        Full,     // no room, and the store goes on
        NotMade,  // the last that the process tries, and nothing of it is there
        Made,     // the same, and all of it is
    };
    class Life;

    void plan(Fault fault, std::uint64_t commits_before, std::uint64_t times);
    [[nodiscard]] Fault next_fault();
    // A commit that had something to keep met `fault`, or none.
    void count(Fault fault);

    testing::SeededRandom& random_;
    MidCommit mid_commit_;
    std::unique_ptr<storage::memory::MemoryStore> store_;
    std::unique_ptr<MemoryRows> rows_;
    Fault fault_ = Fault::None;
    std::uint64_t commits_before_ = 0;
    std::uint64_t times_ = 0;
    std::size_t strikes_ = 0;
};

}  // namespace fencegate::simulation
