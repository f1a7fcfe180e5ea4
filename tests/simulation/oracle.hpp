#pragma once
// Oracle: what the store has promised so far, and whether it keeps it. Told of every batch, death,
// restart and restore; asks the rows after each.
// Owns: the timeline, the history that outlives it, and the batch whose outcome nobody knows yet.
// Thread rule: one thread. Errors: throws Violation.

#include "tests/simulation/alarms.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/looks.hpp"

#include <set>

namespace fencegate::simulation {

// The metadata of an acquire that is sent once only tells which request it was.
[[nodiscard]] std::string metadata_for(const std::string& request_id);
[[nodiscard]] std::string requested_by(const std::string& metadata);

class Oracle {
public:
    // `terms` outlives this.
    Oracle(const Terms& terms, BootTime now) : terms_(terms) { opened(now, Duration(0)); }

    // The store looked at what had arrived, between two batches.
    void looked(BootTime now);

    // The store committed the batch and says `answers`; nobody has seen them yet.
    // `wrote`: it changed rows.
    void committed(const BatchFacts& batch, const Answers& answers, const Rows& rows, bool wrote);
    // The answer has left: whoever reads it knows.
    void revealed(const Answer& answer);
    // The store died while it committed `batch`. What it told, if anything, must promise nothing.
    void unknown(BatchFacts batch, const Answers& answers);
    void drained(const Answers& answers);
    // The store was told to stop.
    void closed(BootTime now) { alarms_.may_have_noted(now); }
    // Opened again at `now`.
    void restarted(const Rows& rows, BootTime now);

    [[nodiscard]] const Timeline& timeline() const noexcept { return timeline_; }
    // The backup was put back and its epoch raised.
    void restored(Timeline backup, const Rows& rows, BootTime now);
    // The next moment the store must wake up by itself.
    void check_deadline(std::optional<BootTime> armed) const;
    // Nothing refused has come to life later. After a restore the rows are others, and so were the
    // requests: only those since then are looked for.
    void check_refusals(const Rows& rows) const;
    // After more hours than anything is kept.
    void check_all_is_forgotten(const Rows& rows) const;

private:
    // A batch that may turn out to be committed, and what it was run on.
    struct Candidate {
        Timeline before;
        BatchFacts batch;
    };

    void opened(BootTime now, Duration ran);
    void settle(const Rows& rows);
    // What is older than its retention may be gone from the rows, and nothing else.
    void forget_old(Timeline& timeline, const Rows& rows, BootTime now) const;
    [[nodiscard]] bool is_explained_by(const Candidate& candidate, const Rows& rows);
    void note_full(Timeline before, const BatchFacts& batch, const Answers& answers, bool wrote);
    void check_new_transfers(const Rows& rows);

    const Terms& terms_;
    Timeline timeline_;
    Alarms alarms_;
    Looks looks_;
    History history_;
    // After a death the rows may be those after one of these, and nothing in between. First the
    // batch that was being committed. Then those that a full disk refused since the last commit:
    // 507 promises as little as any 5xx, because the log keeps what was written of them.
    std::vector<Candidate> unknown_;
    std::set<std::string> refused_;
    std::int64_t last_transfer_ = 0;
};

}  // namespace fencegate::simulation
