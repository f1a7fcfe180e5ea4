#include "proxy/telemetry/hold_ages.hpp"

#include "lockmgr/guards.hpp"

#include <algorithm>
#include <functional>

namespace fencegate::proxy {
namespace {

using lockmgr::FencingToken;
using lockmgr::LockName;
using storage::LockNotice;
using Kind = LockNotice::Kind;

constexpr std::hash<LockName> kKeyOf{};

bool changes_a_hold(const LockNotice& notice) {
    return notice.kind != Kind::Refused && notice.kind != Kind::Proclaimed;
}

}  // namespace

HoldAges::HoldAges(const lockmgr::LockClasses& classes, const Clock& clock)
    : classes_(classes), clock_(clock), start_(clock.boot_now()), of_class_(classes.size()) {}

void HoldAges::note_held(ClassId lock_class, std::size_t held) {
    const std::lock_guard lock(mutex_);
    auto& of = of_class_[lock_class];
    if (of.is_known) return;
    of.is_known = true;
    of.inherited = held;
}

void HoldAges::note_contentions(const std::vector<storage::Contention>& contentions) {
    const auto now = clock_.boot_now();
    const std::lock_guard lock(mutex_);
    for (const auto& contention : contentions) blame(contention.lock, now);
}

void HoldAges::note_notices(const std::vector<LockNotice>& notices) {
    if (std::ranges::none_of(notices, changes_a_hold)) return;
    const auto now = clock_.boot_now();
    const std::lock_guard lock(mutex_);
    for (const auto& notice : notices) {
        switch (notice.kind) {
            case Kind::Granted: begin(notice, now, now); break;
            case Kind::Renewed: hear(notice, now); break;
            case Kind::Ended: end(notice); break;
            case Kind::Refused:
            case Kind::Proclaimed: break;
        }
    }
}

void HoldAges::begin(const LockNotice& notice, BootTime granted, BootTime now) {
    const auto [at, is_new] = holds_.try_emplace(notice.token, Hold{granted, now});
    if (!is_new) return;
    auto& hold = at->second;
    hold.locks.reserve(notice.locks.size());
    for (const auto& lock : notice.locks) {
        const auto lock_class = classes_.index_of(lock);
        hold.leads = hold.leads || lockmgr::is_election_lock(lock);
        hold.locks.emplace_back(kKeyOf(lock), lock_class);
        holders_.emplace(kKeyOf(lock), notice.token);
        auto& held = of_class_[lock_class].held;
        held.emplace_hint(held.end(), notice.token);
        forget_stranger(lock);
    }
}

void HoldAges::hear(const LockNotice& notice, BootTime now) {
    if (const auto known = holds_.find(notice.token); known != holds_.end()) {
        known->second.heard = now;
        return;
    }
    end(notice);  // as one of those that were inherited
    begin(notice, start_, now);
}

void HoldAges::end(const LockNotice& notice) {
    const auto known = holds_.find(notice.token);
    if (known == holds_.end()) {
        for (const auto& lock : notice.locks) {
            auto& of = of_class_[classes_.index_of(lock)];
            if (of.inherited > 0) --of.inherited;
            forget_stranger(lock);
        }
        return;
    }
    for (const auto& [key, lock_class] : known->second.locks) {
        holders_.erase({key, notice.token});
        of_class_[lock_class].held.erase(notice.token);
        of_class_[lock_class].in_the_way.erase(notice.token);
    }
    holds_.erase(known);
}

void HoldAges::forget_stranger(const LockName& lock) {
    auto& strangers = of_class_[classes_.index_of(lock)].strangers;
    if (!strangers.empty()) strangers.erase(kKeyOf(lock));
}

void HoldAges::blame(const LockName& lock, BootTime now) {
    const auto key = kKeyOf(lock);
    auto& of = of_class_[classes_.index_of(lock)];
    std::size_t blamed = 0;
    for (auto at = holders_.lower_bound({key, FencingToken(1)});
         at != holders_.end() && at->first == key && blamed < kBlamedMax; ++at, ++blamed) {
        holds_.at(at->second).refused = now;
        of.in_the_way.insert(at->second);
    }
    // Nobody known holds it: one of those that were inherited, if there are any left.
    if (blamed == 0 && (of.strangers.size() < of.inherited || of.strangers.contains(key)))
        of.strangers.insert_or_assign(key, now);
}

std::vector<HoldSpans> HoldAges::look(BootTime now) const {
    std::vector<HoldSpans> all(of_class_.size());
    const std::lock_guard lock(mutex_);
    for (std::size_t index = 0; index < of_class_.size(); ++index) {
        const auto& of = of_class_[index];
        auto& spans = all[index];
        if (of.inherited > 0)
            spans.oldest = now - start_;
        else if (!of.held.empty())
            spans.oldest = now - holds_.at(*of.held.begin()).granted;
        for (const auto& token : of.in_the_way) {
            const auto& hold = holds_.at(token);
            if (now - *hold.refused > kInTheWay) continue;
            spans.in_the_way_silent = std::max(spans.in_the_way_silent, now - hold.heard);
            if (!hold.leads)
                spans.in_the_way_held = std::max(spans.in_the_way_held, now - hold.granted);
        }
        const bool has_stranger = std::ranges::any_of(
            of.strangers, [&](const auto& stranger) { return now - stranger.second <= kInTheWay; });
        if (has_stranger) spans.in_the_way_silent = std::max(spans.in_the_way_silent, now - start_);
    }
    return all;
}

}  // namespace fencegate::proxy
