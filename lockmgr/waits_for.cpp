#include "lockmgr/waits_for.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

namespace fencegate::lockmgr {
namespace {

// Nodes are parties, edges are waits. An edge names no text, so that 100,000 waiters for sixteen
// locks each stay a matter of a few MiB.
class WaitsForGraph {
public:
    WaitsForGraph(const LiveState& live, const FindHolder& holder_of) {
        const auto& waiters = live.waiters();
        auto ids = waiters.all();
        // Whoever stands before one of them in a line came before it, and is among them.
        ids.resize(std::min(ids.size(), kWaitersLookedAt));
        for (const auto id : ids) node_of(*waiters.find(id));
        for (const auto id : ids) add_waits(live, *waiters.find(id), holder_of);
        let_go_of_the_free();
    }

    // A circle among those that are left, which then leave. Whoever follows the waits of a party
    // that cannot leave comes back to where it has been.
    std::optional<WaitCycle> take_cycle() {
        const auto start = std::ranges::find(nodes_, true, &Node::is_left);
        if (start == nodes_.end()) return std::nullopt;
        std::vector<std::size_t> path;  // of edges
        std::unordered_map<std::size_t, std::size_t> seen_at;
        auto node = static_cast<std::size_t>(start - nodes_.begin());
        while (seen_at.try_emplace(node, path.size()).second) {
            path.push_back(edge_that_is_left(node));
            node = edges_[path.back()].to;
        }
        WaitCycle cycle;
        for (auto at = seen_at[node]; at < path.size(); ++at)
            cycle.push_back(wait(edges_[path[at]]));
        for (auto at = seen_at[node]; at < path.size(); ++at) let_go(edges_[path[at]].from);
        let_go_of_the_free();
        return cycle;
    }

private:
    struct Node {
        Party party;
        std::size_t unmet = 0;  // needs that hold it up
        bool is_left = true;
        std::vector<std::size_t> waits{};       // edges from it
        std::vector<std::size_t> waited_for{};  // edges to it
    };
    // What one waiter needs of one lock before it can go on: that all of these parties do or, of
    // the holders of a semaphore, one.
    struct Need {
        std::size_t node;
        std::size_t missing;  // parties that must go on first
    };
    struct Edge {
        std::size_t from;
        std::size_t to;
        std::size_t need;
        const LockName* lock;
        bool holds;
    };

    void add_waits(const LiveState& live, const Waiter& waiter, const FindHolder& holder_of) {
        const auto from = node_of(waiter);
        for (const auto& lock : waiter.locks) {
            const auto& line = live.waiters().line(lock);
            const auto place = line.find(waiter.id);
            if (place != line.begin()) {
                const auto before = node_of(*live.waiters().find(*std::prev(place)));
                add_need(from, lock, {before}, /*one_is_enough=*/false, /*holds=*/false);
            } else if (live.holdings().fit(lock, waiter.claim) != Fit::Fits) {
                const auto* holding = live.holdings().find(lock);
                std::vector<std::size_t> holders;
                holders.reserve(holding->tokens.size());
                for (const auto token : holding->tokens)
                    holders.push_back(node_of(holder_of(token)));
                add_need(from, lock, holders, holding->claim.mode == LockMode::Semaphore, true);
            }
        }
    }

    void add_need(std::size_t from, const LockName& lock, const std::vector<std::size_t>& blockers,
                  bool one_is_enough, bool holds) {
        const auto need = needs_.size();
        needs_.push_back({from, one_is_enough ? 1 : blockers.size()});
        ++nodes_[from].unmet;
        for (const auto to : blockers) {
            nodes_[from].waits.push_back(edges_.size());
            nodes_[to].waited_for.push_back(edges_.size());
            edges_.push_back({from, to, need, &lock, holds});
        }
    }

    std::size_t node_of(const Waiter& waiter) {
        if (!waiter.owner.empty()) return node_of({waiter.principal, waiter.owner});
        const auto [entry, is_new] = unlabelled_.try_emplace(waiter.id, nodes_.size());
        if (is_new) nodes_.push_back({.party = {waiter.principal, waiter.owner}});
        return entry->second;
    }

    // A holder without a label is a party of its own, and waits for nobody.
    std::size_t node_of(Party party) {
        if (party.owner.empty()) {
            nodes_.push_back({.party = std::move(party)});
            return nodes_.size() - 1;
        }
        const auto [entry, is_new] =
            labelled_.try_emplace({party.principal, party.owner}, nodes_.size());
        if (is_new) nodes_.push_back({.party = std::move(party)});
        return entry->second;
    }

    // REQUIRES: the node is left. One of its needs is then unmet, and of those whom that waits for
    // one is left too.
    std::size_t edge_that_is_left(std::size_t node) const {
        return *std::ranges::find_if(nodes_[node].waits, [&](std::size_t edge) {
            return needs_[edges_[edge].need].missing > 0 && nodes_[edges_[edge].to].is_left;
        });
    }

    Wait wait(const Edge& edge) const {
        return {nodes_[edge.from].party, *edge.lock, nodes_[edge.to].party, edge.holds};
    }

    void let_go(std::size_t node) {
        if (!nodes_[node].is_left) return;
        nodes_[node].is_left = false;
        for (const auto edge : nodes_[node].waited_for) {
            auto& need = needs_[edges_[edge].need];
            if (need.missing == 0) continue;
            --need.missing;
            if (need.missing > 0) continue;
            if (--nodes_[need.node].unmet == 0) free_.push_back(need.node);
        }
    }

    // Whoever waits for nobody that is left can go on, and then those who waited for it.
    void let_go_of_the_free() {
        if (!has_begun_) {
            has_begun_ = true;
            for (std::size_t node = 0; node < nodes_.size(); ++node) {
                if (nodes_[node].unmet == 0) free_.push_back(node);
            }
        }
        while (!free_.empty()) {
            const auto node = free_.back();
            free_.pop_back();
            let_go(node);
        }
    }

    std::map<std::pair<std::string, std::string>, std::size_t> labelled_;
    std::unordered_map<WaiterId, std::size_t> unlabelled_;
    std::vector<Node> nodes_;
    std::vector<Need> needs_;
    std::vector<Edge> edges_;
    std::vector<std::size_t> free_;
    bool has_begun_ = false;
};

}  // namespace

std::vector<WaitCycle> find_deadlocks(const LiveState& live, const FindHolder& holder_of,
                                      std::size_t max) {
    WaitsForGraph graph(live, holder_of);
    std::vector<WaitCycle> cycles;
    while (cycles.size() < max) {
        auto cycle = graph.take_cycle();
        if (!cycle) break;
        cycles.push_back(*std::move(cycle));
    }
    return cycles;
}

}  // namespace fencegate::lockmgr
