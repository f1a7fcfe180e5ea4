#include "storage/model/canonical_form.hpp"

#include "storage/model/operation.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace fencegate::storage {
namespace {

// Fields one after the other, each ended so that no two lists of fields have one text: texts carry
// their length, numbers end with a mark, and what is absent is a mark of its own.
class FormWriter {
public:
    explicit FormWriter(OperationKind kind) { text(operation_name(kind)); }

    FormWriter& text(std::string_view value) {
        out_.append(std::to_string(value.size())).append(":").append(value);
        return *this;
    }
    FormWriter& number(std::int64_t value) {
        out_.append("#").append(std::to_string(value)).append(";");
        return *this;
    }
    FormWriter& maybe(const std::optional<std::int64_t>& value) {
        if (value) return number(*value);
        out_.append("-");
        return *this;
    }
    FormWriter& maybe(const std::optional<Duration>& value) {
        return maybe(value ? std::optional(std::int64_t{value->count()}) : std::nullopt);
    }
    FormWriter& json(std::string_view value) { return text(canonical_json(value)); }

    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string out_;
};

// An empty object says as little as none.
std::string_view unless_empty(std::string_view object) { return object == "{}" ? "" : object; }

void write_purpose(FormWriter& form, const Purpose& purpose) {
    if (const auto* campaign = std::get_if<Campaign>(&purpose)) {
        form.text(campaign->election).json(campaign->value_json);
    } else if (const auto* claim = std::get_if<ClaimRun>(&purpose)) {
        form.text(claim->job).text(claim->slot.text()).maybe(claim->start_within);
    }
}

void write_form(FormWriter& form, const AcquireLock& acquire, const lockmgr::LockClasses& classes) {
    form.number(static_cast<std::int64_t>(acquire.locks.size()));
    for (const auto& lock : acquire.locks) form.text(lock.value());
    form.number(static_cast<std::int64_t>(acquire.claim.mode)).number(acquire.claim.permits);
    // A default that is spelt out counts as left out, and not the other way round: who leaves it
    // out sends the same request when the operator has set another default since.
    auto ttl = acquire.ttl;
    if (ttl == classes.strictest(acquire.locks).ttl_default) ttl.reset();
    form.maybe(ttl).text(acquire.owner).json(unless_empty(acquire.metadata_json));
    write_purpose(form, acquire.purpose);
}

void write_form(FormWriter& form, const RenewLease& renew) {
    form.text(to_string(renew.lease_id)).maybe(renew.ttl).maybe(renew.progress);
}

void write_form(FormWriter& form, const ReleaseLease& release) {
    form.text(to_string(release.lease_id));
}

// Its token names what is to be ended; it is no fence.
void write_form(FormWriter& form, const BreakLock& broken) {
    form.text(broken.lock.value()).number(broken.seen_token.value()).text(broken.reason);
}

void write_form(FormWriter& form, const Proclaim& proclaim) {
    form.text(proclaim.election).json(proclaim.value_json);
}

void write_form(FormWriter& form, const Resign& resign) { form.text(resign.election); }

void write_form(FormWriter& form, const FinishRun& finish) {
    form.text(finish.job).text(finish.slot.text()).text(finish.result);
}

void write_form(FormWriter& form, const CreatePayment& create) {
    form.text(create.id).text(create.currency).number(create.amount_minor);
    form.number(create.capture ? 1 : 0).text(create.reference);
    form.json(unless_empty(create.metadata_json));
}

void write_form(FormWriter& form, const MovePayment& move) {
    form.text(move.payment_id).maybe(move.amount_minor).text(move.reason);
}

void write_form(FormWriter& form, const Acknowledge& what) {
    form.text(what.consumer).number(what.position);
}

void write_form(FormWriter& form, const ForgetConsumer& what) { form.text(what.consumer); }

// --- JSON ---

// Behind the text that begins at `at`, with its quotes.
std::size_t end_of_text(std::string_view json, std::size_t at) {
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
    }
    return std::min(at + 1, json.size());
}

// Behind the value that begins at `at`: at the comma or bracket that follows it.
std::size_t end_of_value(std::string_view json, std::size_t at) {
    std::size_t depth = 0;
    while (at < json.size()) {
        const char byte = json[at];
        if (byte == '"') {
            at = end_of_text(json, at);
            continue;
        }
        const bool is_closing = byte == '}' || byte == ']';
        if (depth == 0 && (is_closing || byte == ',')) break;
        if (byte == '{' || byte == '[') ++depth;
        if (is_closing) --depth;
        ++at;
    }
    return at;
}

// The parts of an object or array, which begins with its bracket: members with their names.
std::vector<std::string_view> parts_of(std::string_view json) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 1; at + 1 < json.size(); ++at) {
        const auto end = end_of_value(json, at);
        parts.push_back(json.substr(at, end - at));
        at = end;
    }
    return parts;
}

void append_canonical(std::string_view json, std::string& out) {
    const bool is_object = json.starts_with('{');
    if (!is_object && !json.starts_with('[')) {
        out.append(json);
        return;
    }
    auto parts = parts_of(json);
    const auto name_of = [](std::string_view part) { return part.substr(0, end_of_text(part, 0)); };
    if (is_object) std::ranges::sort(parts, {}, name_of);
    out.push_back(json.front());
    for (const auto& part : parts) {
        if (&part != &parts.front()) out.push_back(',');
        const auto name = is_object ? name_of(part).size() + 1 : 0;  // and its colon
        out.append(part.substr(0, name));
        append_canonical(part.substr(name), out);
    }
    out.push_back(json.back());
}

}  // namespace

std::string canonical_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    append_canonical(json, out);
    return out;
}

std::string canonical_form(const Operation& operation, const lockmgr::LockClasses& classes) {
    FormWriter form(kind_of(operation));
    std::visit(
        [&](const auto& one) {
            if constexpr (requires { write_form(form, one, classes); }) {
                write_form(form, one, classes);
            } else if constexpr (requires { write_form(form, one); }) {
                write_form(form, one);
            }
        },
        operation);
    return form.take();
}

}  // namespace fencegate::storage
