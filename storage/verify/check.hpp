#pragma once
// Check and Progress: one claim while it is looked at, and how far a long look has come. For the
// rules here and for what an engine checks of itself.
// Thread rule: one thread. Errors: none; a fault is what a check is for.

#include "storage/verify/verify.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace fencegate::storage {

// One check while it runs.
class Check {
public:
    Check(std::string_view name, std::string_view claim) : result_{.name = name, .claim = claim} {}

    void look(std::int64_t count = 1) noexcept { result_.looked_at += count; }
    void fault(std::string what);
    // Looks once; `what` is built only for a fault.
    template <class What>
    void expect(bool holds, What&& what) {
        look();
        if (!holds) fault(std::forward<What>(what)());
    }
    // For what is found meanwhile and told later: another of its name, to be added in the end.
    [[nodiscard]] Check part() const { return {result_.name, result_.claim}; }
    void add(const Check& part);
    [[nodiscard]] const CheckResult& result() const noexcept { return result_; }

private:
    CheckResult result_;
};

class Progress {
public:
    Progress(const VerifyOptions& options, std::string_view stage, std::int64_t total)
        : options_(options), at_{stage, 0, total} {}
    void step() {
        constexpr std::int64_t kEvery = 65'536;
        if (++at_.done % kEvery == 0 && options_.on_progress) options_.on_progress(at_);
    }

private:
    const VerifyOptions& options_;
    VerifyProgress at_;
};

// The numbers of rows, in sentences.
[[nodiscard]] inline std::string nth(std::string_view what, std::int64_t id) {
    return std::string(what) + " " + std::to_string(id);
}

}  // namespace fencegate::storage
