#include "lockmgr/waits_for.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace fencegate::lockmgr {
namespace {

class WaitsForGraph {
public:
    WaitsForGraph(const LiveState& live, const FindHolder& holder_of) {
        for (const auto id : live.waiters().all())
            add_waiter(live, *live.waiters().find(id), holder_of);
    }

    // A circle among those that are left, which then leave. Whoever follows the waits of a party
    // that cannot leave comes back to where it has been.
    std::optional<WaitCycle> take_cycle() {
        trim();
        const auto start = std::ranges::find(is_left_, true);
        if (start == is_left_.end()) return std::nullopt;
        std::vector<std::size_t> path;  // of edges
        std::vector<std::optional<std::size_t>> seen_at(is_left_.size());
        auto node = static_cast<std::size_t>(start - is_left_.begin());
        while (!seen_at[node]) {
            seen_at[node] = path.size();
            path.push_back(edge_that_is_left(node));
            node = edges_[path.back()].to;
        }
        WaitCycle cycle;
        for (auto at = *seen_at[node]; at < path.size(); ++at) {
            cycle.push_back(edges_[path[at]].wait);
            is_left_[edges_[path[at]].from] = false;
        }
        return cycle;
    }

private:
    struct Edge {
        std::size_t from;
        std::size_t to;
        Wait wait;
    };

    void add_waiter(const LiveState& live, const Waiter& waiter, const FindHolder& holder_of) {
        const Party party{waiter.principal, waiter.owner};
        const auto from = node_of(party, "w" + std::to_string(waiter.id.value()));
        for (const auto& lock : waiter.locks) {
            const auto& line = live.waiters().line(lock);
            const auto place = line.find(waiter.id);
            if (place != line.begin()) {
                const auto& before = *live.waiters().find(*std::prev(place));
                const Party blocker{before.principal, before.owner};
                const auto to = node_of(blocker, "w" + std::to_string(before.id.value()));
                add_edge(from, to, {party, lock, blocker, false});
                continue;
            }
            const auto* holding = live.holdings().find(lock);
            if (holding == nullptr) continue;
            for (const auto token : holding->tokens) {
                const auto holder = holder_of(token);
                const auto to = node_of(holder, "t" + std::to_string(token.value()));
                add_edge(from, to, {party, lock, holder, true});
            }
        }
    }

    // `otherwise` names a party that has no owner label.
    std::size_t node_of(const Party& party, const std::string& otherwise) {
        const auto key =
            party.owner.empty() ? "/" + otherwise : party.principal + "/" + party.owner;
        const auto [entry, is_new] = nodes_.try_emplace(key, nodes_.size());
        if (is_new) {
            is_left_.push_back(true);
            edges_from_.emplace_back();
        }
        return entry->second;
    }

    void add_edge(std::size_t from, std::size_t to, Wait wait) {
        edges_from_[from].push_back(edges_.size());
        edges_.push_back({from, to, std::move(wait)});
    }

    std::size_t edge_that_is_left(std::size_t node) const {
        return *std::ranges::find_if(edges_from_[node],
                                     [&](std::size_t edge) { return is_left_[edges_[edge].to]; });
    }

    // Lets go of everybody who waits for nobody that is left.
    void trim() {
        std::vector<std::size_t> waits_for(is_left_.size(), 0);
        std::vector<std::vector<std::size_t>> waited_for_by(is_left_.size());
        for (const auto& edge : edges_) {
            if (!is_left_[edge.from] || !is_left_[edge.to]) continue;
            ++waits_for[edge.from];
            waited_for_by[edge.to].push_back(edge.from);
        }
        std::vector<std::size_t> free;
        for (std::size_t node = 0; node < is_left_.size(); ++node) {
            if (is_left_[node] && waits_for[node] == 0) free.push_back(node);
        }
        while (!free.empty()) {
            const auto node = free.back();
            free.pop_back();
            is_left_[node] = false;
            for (const auto waiter : waited_for_by[node]) {
                if (--waits_for[waiter] == 0) free.push_back(waiter);
            }
        }
    }

    std::map<std::string, std::size_t> nodes_;
    std::vector<bool> is_left_;
    std::vector<std::vector<std::size_t>> edges_from_;
    std::vector<Edge> edges_;
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
