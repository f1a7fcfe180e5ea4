#include "tests/simulation/memory_ground.hpp"

#include <utility>

namespace fencegate::simulation {

using storage::Failure;
using storage::memory::MemoryStore;

// One process, on tables that outlive it.
class MemoryGround::Life final : public storage::Store {
public:
    Life(MemoryGround& ground, MemoryStore& store) : ground_(ground), store_(store) {
        store_.roll_back();  // what the process before did not commit
    }

    [[nodiscard]] storage::Readers readers() noexcept override { return store_.readers(); }
    void begin() override { store_.begin(); }
    void write(const storage::Changes& changes) override { store_.write(changes); }
    [[nodiscard]] Commit commit(std::size_t commands) override;
    void roll_back() override {
        last_words_.reset();
        store_.roll_back();
    }

    [[nodiscard]] const std::optional<Failure>& failure() const noexcept override {
        return last_words_ ? last_words_ : store_.failure();
    }
    void clear_failure() noexcept override {
        last_words_.reset();
        store_.clear_failure();
    }

    WallTime look(BootTime now) override { return store_.look(now); }
    [[nodiscard]] const BelievedWall& wall() const noexcept override { return store_.wall(); }
    [[nodiscard]] const std::optional<ClockJump>& gap() const noexcept override {
        return store_.gap();
    }

    [[nodiscard]] std::int64_t log_bytes() const noexcept override { return store_.log_bytes(); }
    [[nodiscard]] bool wants_checkpoint() const noexcept override {
        return store_.wants_checkpoint();
    }
    BootTime::duration checkpoint() override { return store_.checkpoint(); }
    [[nodiscard]] Result<std::unique_ptr<storage::StoreCopy>> begin_copy(
        const std::filesystem::path& file) override {
        return store_.begin_copy(file);
    }
    BootTime::duration close() override { return store_.close(); }

private:
    [[nodiscard]] static std::optional<Failure> failure_of(Fault fault);

    MemoryGround& ground_;
    MemoryStore& store_;
    std::optional<Failure> last_words_;  // of a commit that was made all the same
};

std::optional<Failure> MemoryGround::Life::failure_of(Fault fault) {
    switch (fault) {
        case Fault::None:
        case Fault::Made: return std::nullopt;
        case Fault::Full: return Failure{Failure::Kind::Full, "there is no room"};
        case Fault::NotMade: return Failure{Failure::Kind::Fatal, "the commit failed"};
    }
    return std::nullopt;
}

storage::Store::Commit MemoryGround::Life::commit(std::size_t commands) {
    const auto fault = ground_.next_fault();
    store_.fail_next_commit(failure_of(fault));
    auto made = store_.commit(commands);
    store_.fail_next_commit(std::nullopt);
    if (!made.wrote) return made;
    ground_.mid_commit_();
    if (fault == Fault::Made) last_words_ = Failure{Failure::Kind::Fatal, "the commit is unknown"};
    ground_.count(fault);
    return made;
}

MemoryGround::MemoryGround(testing::SeededRandom& random, MidCommit mid_commit)
    : random_(random), mid_commit_(std::move(mid_commit)) {}

std::unique_ptr<storage::Store> MemoryGround::open(const Clock& clock) {
    if (!store_) store_ = std::make_unique<MemoryStore>(clock);
    return std::make_unique<Life>(*this, *store_);
}

void MemoryGround::serve() {
    be_sound();
    rows_ = std::make_unique<MemoryRows>(store_->readers());
}

void MemoryGround::be_sound() {
    plan(Fault::None, 0, 0);
    strikes_ = 0;
}

void MemoryGround::fail_soon() {
    plan(random_.below(2) == 0 ? Fault::NotMade : Fault::Made, random_.below(4), 1);
}

void MemoryGround::fill() { plan(Fault::Full, random_.below(3), 1 + random_.below(40)); }

void MemoryGround::plan(Fault fault, std::uint64_t commits_before, std::uint64_t times) {
    fault_ = fault;
    commits_before_ = commits_before;
    times_ = times;
}

MemoryGround::Fault MemoryGround::next_fault() {
    if (times_ == 0) fault_ = Fault::None;
    return commits_before_ == 0 ? fault_ : Fault::None;
}

void MemoryGround::count(Fault fault) {
    if (fault == Fault::None) {
        if (commits_before_ > 0) --commits_before_;
        return;
    }
    --times_;
    ++strikes_;
}

}  // namespace fencegate::simulation
