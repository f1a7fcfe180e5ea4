// Idempotency keys: movements by author and key beside the answers by the same.
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace fencegate::storage {
namespace {

auto whose(const auto& row) { return std::tie(row.principal, row.key); }

class KeyPass {
public:
    KeyPass(RowsToVerify& rows, const StoreFacts& facts, std::int64_t first_kept, Checks& checks)
        : checks_(checks),
          turns_(turns_of_clock(rows)),
          is_clock_unsteady_(facts.is_clock_unsteady),
          first_kept_(first_kept),
          answers_(rows.answers_by_key()) {
        next_answer();
    }

    void take(const KeyedMovement& effect) {
        checks_.one_effect.look();
        while (kept_ && whose(*kept_) < whose(effect)) next_answer();
        if (before_ && whose(*before_) == whose(effect) && !is_turned(before_->id, effect.id) &&
            effect.booked_at - before_->booked_at < kKeysKept)
            fault(effect, nth("movement", before_->id) + " has the same key");
        const bool is_kept = kept_ && whose(*kept_) == whose(effect);
        if (is_kept) check_against(effect, *kept_);
        // Its key would have the effect once more.
        if (effect.id >= first_kept_) {
            checks_.answers.expect(is_kept && !kept_->is_refusal, [&] {
                return nth("movement", effect.id) + " of " + effect.principal +
                       " has no answer under its key, which must still be kept";
            });
        }
        before_ = effect;
    }

    void end() {
        while (kept_) next_answer();
    }

private:
    // While an answer is kept, its key is answered from it and has no further effect.
    void check_against(const KeyedMovement& effect, const KeyedAnswer& kept) {
        if (kept.is_refusal) {
            if (!is_clock_unsteady_ &&
                std::chrono::abs(kept.created_at - effect.booked_at) < kKeysKept)
                fault(effect, nth("answer", kept.id) + " says that it was refused");
        } else if (kept.version != 0 && effect.id > kept.version) {
            fault(effect, nth("answer", kept.id) + " tells of an earlier one");
        }
    }

    // Between two entries that the clock was set back between, times say nothing.
    [[nodiscard]] bool is_turned(std::int64_t earlier, std::int64_t later) const {
        const auto turn = std::ranges::upper_bound(turns_, earlier);
        return turn != turns_.end() && *turn <= later;
    }

    void fault(const KeyedMovement& effect, const std::string& why) {
        checks_.one_effect.fault(nth("movement", effect.id) + " of " + effect.principal + ": " +
                                 why);
    }

    void next_answer() {
        const auto* answer = answers_.next();
        if (answer == nullptr) {
            kept_.reset();
            return;
        }
        if (kept_ && whose(*kept_) == whose(*answer))
            checks_.answers.fault(nth("answer", answer->id) + " has the same key as " +
                                  nth("answer", kept_->id));
        kept_ = *answer;
    }

    Checks& checks_;
    const std::vector<std::int64_t> turns_;
    const bool is_clock_unsteady_;
    const std::int64_t first_kept_;
    Pass<KeyedAnswer> answers_;
    std::optional<KeyedAnswer> kept_;
    std::optional<KeyedMovement> before_;
};

// Answers are forgotten in the order they were given: none is missing behind one that is there.
std::int64_t behind_the_oldest_answer(RowsToVerify& rows) {
    auto answers = rows.answers();
    while (const auto* answer = answers.next()) {
        if (!answer->is_refusal && answer->version > 0) return answer->version + 1;
    }
    return std::numeric_limits<std::int64_t>::max();
}

void check_effects(RowsToVerify& rows, const StoreFacts& facts, std::int64_t first_kept,
                   const VerifyOptions& options, Checks& checks) {
    Progress progress(options, "keys", facts.entries);
    KeyPass pass(rows, facts, std::min(first_kept, behind_the_oldest_answer(rows)), checks);
    auto movements = rows.movements_by_key();
    while (const auto* movement = movements.next()) {
        pass.take(*movement);
        progress.step();
    }
    pass.end();
}

}  // namespace

void check_keys(RowsToVerify& rows, const StoreFacts& facts, std::int64_t first_kept,
                const VerifyOptions& options, Checks& checks) {
    check_effects(rows, facts, first_kept, options, checks);
    check_kept_answers(rows, facts, checks);
}

}  // namespace fencegate::storage
