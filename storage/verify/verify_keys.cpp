// Idempotency keys: movements by author and key beside the answers by the same.
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

namespace fencegate::storage {
namespace {

constexpr std::int64_t kKeysKeptMs = kKeysKeptHours * 3'600'000;

using AuthorAndKey = std::pair<std::string, std::string>;

struct Effect {
    AuthorAndKey whose;
    std::int64_t movement = 0;
    std::int64_t booked_at_ms = 0;
};

struct Kept {
    AuthorAndKey whose;
    std::int64_t id = 0;
    bool is_refusal = false;
    std::int64_t version = 0;  // the last entry of its movement; 0: it tells of none
    std::int64_t created_at_ms = 0;
};

class KeyPass {
public:
    KeyPass(sqlite::Connection& connection, const StoreFacts& facts, std::int64_t first_kept,
            Checks& checks)
        : checks_(checks),
          turns_(turns_of_clock(connection)),
          is_clock_unsteady_(facts.is_clock_unsteady),
          first_kept_(first_kept),
          answers_(connection,
                   "SELECT principal, key, id, error_code IS NOT NULL, version, created_at_ms "
                   "FROM answers ORDER BY principal, key, id"),
          answer_(answers_.query()) {
        next_answer();
    }

    void take(Effect effect) {
        checks_.one_effect.look();
        while (kept_ && kept_->whose < effect.whose) next_answer();
        if (before_ && before_->whose == effect.whose &&
            !is_turned(before_->movement, effect.movement) &&
            effect.booked_at_ms - before_->booked_at_ms < kKeysKeptMs)
            fault(effect, nth("movement", before_->movement) + " has the same key");
        const bool is_kept = kept_ && kept_->whose == effect.whose;
        if (is_kept) check_against(effect, *kept_);
        // Its key would have the effect once more.
        if (effect.movement >= first_kept_) {
            checks_.answers.expect(is_kept && !kept_->is_refusal, [&] {
                return nth("movement", effect.movement) + " of " + effect.whose.first +
                       " has no answer under its key, which must still be kept";
            });
        }
        before_ = std::move(effect);
    }

    void end() {
        while (kept_) next_answer();
    }

private:
    // While an answer is kept, its key is answered from it and has no further effect.
    void check_against(const Effect& effect, const Kept& kept) {
        if (kept.is_refusal) {
            if (!is_clock_unsteady_ &&
                std::abs(kept.created_at_ms - effect.booked_at_ms) < kKeysKeptMs)
                fault(effect, nth("answer", kept.id) + " says that it was refused");
        } else if (kept.version != 0 && effect.movement > kept.version) {
            fault(effect, nth("answer", kept.id) + " tells of an earlier one");
        }
    }

    // Between two entries that the clock was set back between, times say nothing.
    [[nodiscard]] bool is_turned(std::int64_t earlier, std::int64_t later) const {
        const auto turn = std::ranges::upper_bound(turns_, earlier);
        return turn != turns_.end() && *turn <= later;
    }

    void fault(const Effect& effect, const std::string& why) {
        checks_.one_effect.fault(nth("movement", effect.movement) + " of " + effect.whose.first +
                                 ": " + why);
    }

    void next_answer() {
        auto before = std::exchange(kept_, std::nullopt);
        if (!answer_.next()) return;
        kept_ = Kept{.whose = {std::string(answer_.text(0)), std::string(answer_.text(1))},
                     .id = answer_.integer(2),
                     .is_refusal = answer_.integer(3) != 0,
                     .version = answer_.integer(4),
                     .created_at_ms = answer_.integer(5)};
        if (before && before->whose == kept_->whose)
            checks_.answers.fault(nth("answer", kept_->id) + " has the same key as " +
                                  nth("answer", before->id));
    }

    Checks& checks_;
    const std::vector<std::int64_t> turns_;
    const bool is_clock_unsteady_;
    const std::int64_t first_kept_;
    sqlite::Statement answers_;
    sqlite::Statement::Row answer_;
    std::optional<Kept> kept_;
    std::optional<Effect> before_;
};

// Answers are forgotten in the order they were given: none is missing behind one that is there.
std::int64_t behind_the_oldest_answer(sqlite::Connection& connection) {
    sqlite::Statement oldest(connection,
                             "SELECT version FROM answers WHERE error_code IS NULL AND version > 0 "
                             "ORDER BY id LIMIT 1");
    auto row = oldest.query();
    return row.next() ? row.integer(0) + 1 : std::numeric_limits<std::int64_t>::max();
}

void check_effects(sqlite::Connection& connection, const StoreFacts& facts, std::int64_t first_kept,
                   const VerifyOptions& options, Checks& checks) {
    Progress progress(options, "keys", facts.transfers);
    sqlite::Statement movements(connection,
                                "SELECT principal, key, id, created_at_ms FROM transfers "
                                "WHERE id = movement AND key <> '' ORDER BY principal, key, id");
    KeyPass pass(connection, facts, std::min(first_kept, behind_the_oldest_answer(connection)),
                 checks);
    auto row = movements.query();
    while (row.next()) {
        pass.take({.whose = {std::string(row.text(0)), std::string(row.text(1))},
                   .movement = row.integer(2),
                   .booked_at_ms = row.integer(3)});
        progress.step();
    }
    pass.end();
}

}  // namespace

void check_keys(sqlite::Connection& connection, const StoreFacts& facts, std::int64_t first_kept,
                const VerifyOptions& options, Checks& checks) {
    check_effects(connection, facts, first_kept, options, checks);
    check_kept_answers(connection, facts, checks);
}

}  // namespace fencegate::storage
