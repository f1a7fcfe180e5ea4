#pragma once
// AnswerRows: what each idempotency key was answered. Written in the transaction of the effect, so
// "done but not recorded" cannot exist.
// Thread rule: as its Connection. Errors: the Connection's failure().
// Source: Stripe's idempotent requests; draft-ietf-httpapi-idempotency-key-header-07.

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage::sqlite {

class AnswerRows final : public storage::AnswerReader {
public:
    explicit AnswerRows(Connection& connection);

    [[nodiscard]] std::optional<StoredAnswer> find(std::string_view principal,
                                                   const Idempotency& idempotency) override;
    void write(const Changes& changes);

private:
    void insert(const NewAnswer& made);

    Statement find_;
    Statement insert_;
};

}  // namespace fencegate::storage::sqlite
