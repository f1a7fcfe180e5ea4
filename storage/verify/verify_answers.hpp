#pragma once
// AnswerBodies: what clients were told of their writes, beside the entries that it was told of.
// Looks for the members that matter and not for the same bytes: what an older version of the
// program answered is kept as it was. Refuses to own: refusals and grants, which tell of no entry.
// Thread rule: as its rows.

#include "storage/money/payment.hpp"
#include "storage/verify/verify_checks.hpp"

namespace fencegate::storage {

class AnswerBodies {
public:
    AnswerBodies(RowsToVerify& rows, Checks& checks);

    struct Told {
        std::int64_t entry = 0;
        std::optional<Refund> refund{};  // if the entry is one
    };
    // `then` is the payment as `of.entry` left it. REQUIRES: payments in the order of their ids,
    // and their entries in the order of theirs.
    void check(const Payment& then, const Told& of);

private:
    void check_body(const ToldAnswer& answer, const Payment& then, const Told& of);

    Checks& checks_;
    Pass<ToldAnswer> answers_;
};

}  // namespace fencegate::storage
