#include "storage/verify/verify_answers.hpp"

#include "base/json_writer.hpp"
#include "storage/documents/payment_documents.hpp"

#include <tuple>

namespace fencegate::storage {
namespace {

// What follows here is the client's own and may be spelt like a member of ours.
std::string_view without_metadata(std::string_view body) {
    return body.substr(0, body.find(R"(,"metadata":)"));
}

// Whether `"name":value` is a member: within a text the quotes would be escaped.
template <class Value>
bool tells(std::string_view body, std::string_view name, const Value& value) {
    std::string member;
    JsonWriter(member).begin_object().member(name, value);
    const auto text = std::string_view(member).substr(1);
    const auto found = body.find(text);
    if (found == std::string_view::npos) return false;
    const auto end = found + text.size();
    return end == body.size() || body[end] == ',' || body[end] == '}';
}

bool tells(std::string_view body, const Payment& then) {
    return tells(body, "id", std::string_view(then.id)) &&
           tells(body, "status", status_name(then)) &&
           tells(body, "amount", then.authorized_minor) &&
           tells(body, "currency", std::string_view(then.currency)) &&
           tells(body, "amount_captured", then.captured_minor) &&
           tells(body, "amount_refunded", then.refunded_minor);
}

bool tells(std::string_view body, const Payment& then, const Refund& refund) {
    return tells(body, "id", std::string_view(refund_id(refund.id))) &&
           tells(body, "payment", std::string_view(then.id)) &&
           tells(body, "amount", refund.amount_minor) &&
           tells(body, "currency", std::string_view(then.currency)) && refund.token &&
           tells(body, "fencing_token", refund.token->value()) &&
           tells(body, "payment_status", status_name(then)) &&
           tells(body, "amount_refunded", then.refunded_minor);
}

}  // namespace

AnswerBodies::AnswerBodies(RowsToVerify& rows, Checks& checks)
    : checks_(checks), answers_(rows.told_by_payment()) {
    answers_.next();
}

// An answer that is passed over tells of no entry, which verify_kept_answers.cpp says.
void AnswerBodies::check(const Payment& then, const Told& of) {
    const auto place = [](const ToldAnswer& answer) {
        return std::tuple(std::string_view(answer.payment_id), answer.version);
    };
    const std::tuple here(std::string_view(then.id), of.entry);
    const auto* answer = answers_.at();
    while (answer != nullptr && place(*answer) < here) answer = answers_.next();
    for (; answer != nullptr && place(*answer) == here; answer = answers_.next())
        check_body(*answer, then, of);
}

void AnswerBodies::check_body(const ToldAnswer& answer, const Payment& then, const Told& of) {
    const auto body = without_metadata(answer.body);
    const bool is_told = of.refund ? tells(body, then, *of.refund) : tells(body, then);
    checks_.answers.expect(is_told, [&] {
        return nth("answer", answer.id) + " says something else than " + nth("entry", of.entry);
    });
}

}  // namespace fencegate::storage
