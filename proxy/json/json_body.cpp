// The parsing half of JsonBody, apart from the getters because only it needs the JSON parser.
#include "proxy/json/json_body.hpp"

#include "base/json_writer.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

namespace fencegate::proxy {

// The handler of boost::json::basic_parser: fills a JsonBody while the parser runs. What the
// parser would let pass and this API does not (floats, duplicates, unknown members, NUL) is refused
// by returning false, with the reason in refusal().
class JsonBodyBuilder {
public:
    // NOLINTBEGIN(readability-identifier-naming): basic_parser dictates these names.
    static constexpr std::size_t max_array_size = kJsonArrayItemsMax;
    static constexpr std::size_t max_object_size = kJsonObjectMembersMax;
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = kJsonKeyBytesMax;
    // NOLINTEND(readability-identifier-naming)

    using ParseError = boost::json::error_code;
    using Part = boost::json::string_view;

    explicit JsonBodyBuilder(JsonBody& body) : body_(body), echo_(body.arena_) {}

    [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }

    bool on_document_begin(ParseError&) { return true; }
    bool on_document_end(ParseError&) { return true; }
    bool on_object_begin(ParseError& ec);
    bool on_object_end(std::size_t, ParseError&);
    bool on_array_begin(ParseError& ec);
    bool on_array_end(std::size_t, ParseError&);
    bool on_key_part(Part part, std::size_t, ParseError&) { return keep(part); }
    bool on_key(Part last, std::size_t, ParseError& ec);
    bool on_string_part(Part part, std::size_t, ParseError&) { return keep(part); }
    bool on_string(Part last, std::size_t, ParseError& ec);
    bool on_number_part(Part, ParseError&) { return true; }
    bool on_int64(std::int64_t value, Part text, ParseError& ec);
    bool on_uint64(std::uint64_t, Part, ParseError& ec);
    bool on_double(double, Part text, ParseError& ec);
    bool on_bool(bool value, ParseError& ec);
    bool on_null(ParseError& ec);
    bool on_comment_part(Part, ParseError&) { return true; }
    bool on_comment(Part, ParseError&) { return true; }

private:
    using Kind = JsonBody::Kind;
    using Span = JsonBody::Span;

    bool begin_value(Kind kind, ParseError& ec);
    bool pick_member(std::string_view name, ParseError& ec);
    bool note_nested_key(std::string_view name, ParseError& ec);
    bool refuse(std::string detail, ParseError& ec);
    bool refuse_range(ParseError& ec);
    bool keep(Part part);
    std::string_view complete(Part last);
    Span store(std::string_view text);

    // True inside a nested object that a route will take as a whole.
    [[nodiscard]] bool is_echoing() const { return depth_ > 1 && member_->kind == Kind::Object; }

    JsonBody& body_;
    JsonBody::Member* member_ = nullptr;  // the one whose value is being read
    JsonWriter echo_;
    std::size_t depth_ = 0;  // open objects and arrays
    std::string pending_;    // parts of the string or key being read; empty unless it has escapes
    std::string refusal_;
    // Keys of the open nested objects, one frame after the other, to find duplicates.
    std::string key_bytes_;
    std::vector<Span> keys_;
    std::array<std::size_t, kJsonDepthMax + 1> frames_{};  // by depth: where its keys begin
};

bool JsonBodyBuilder::refuse(std::string detail, ParseError& ec) {
    refusal_ = std::move(detail);
    ec = boost::json::make_error_code(boost::json::error::syntax);
    return false;
}

bool JsonBodyBuilder::begin_value(Kind kind, ParseError& ec) {
    if (depth_ == 0 && kind != Kind::Object) return refuse("The body is not a JSON object", ec);
    if (depth_ == 1) member_->kind = kind;
    if (depth_ == 2 && kind != Kind::Text && member_->kind == Kind::TextList)
        member_->kind = Kind::OtherList;
    return true;
}

bool JsonBodyBuilder::on_object_begin(ParseError& ec) {
    if (!begin_value(Kind::Object, ec)) return false;
    if (depth_ == 1) {
        member_->span.from = body_.arena_.size();
        echo_ = JsonWriter(body_.arena_);
    }
    ++depth_;
    frames_[depth_] = keys_.size();
    if (is_echoing()) echo_.begin_object();
    return true;
}

bool JsonBodyBuilder::on_object_end(std::size_t, ParseError&) {
    if (is_echoing()) echo_.end_object();
    if (keys_.size() > frames_[depth_]) {
        key_bytes_.resize(keys_[frames_[depth_]].from);
        keys_.resize(frames_[depth_]);
    }
    --depth_;
    if (depth_ == 1 && member_->kind == Kind::Object)
        member_->span.size = body_.arena_.size() - member_->span.from;
    return true;
}

bool JsonBodyBuilder::on_array_begin(ParseError& ec) {
    if (!begin_value(Kind::TextList, ec)) return false;
    if (depth_ == 1) member_->span.from = body_.items_.size();
    ++depth_;
    if (is_echoing()) echo_.begin_array();
    return true;
}

bool JsonBodyBuilder::on_array_end(std::size_t, ParseError&) {
    if (is_echoing()) echo_.end_array();
    --depth_;
    if (depth_ == 1 && member_->kind == Kind::TextList)
        member_->span.size = body_.items_.size() - member_->span.from;
    return true;
}

bool JsonBodyBuilder::on_key(Part last, std::size_t, ParseError& ec) {
    const auto name = complete(last);
    if (name.find('\0') != std::string_view::npos) return refuse("A member name holds U+0000", ec);
    const bool is_fine = depth_ == 1 ? pick_member(name, ec) : note_nested_key(name, ec);
    if (is_fine && is_echoing()) echo_.key(name);
    pending_.clear();
    return is_fine;
}

bool JsonBodyBuilder::pick_member(std::string_view name, ParseError& ec) {
    const auto known = std::span(body_.members_).first(body_.member_count_);
    const auto found = std::ranges::find(known, name, &JsonBody::Member::name);
    if (found == known.end()) return refuse("Unknown member \"" + std::string(name) + "\"", ec);
    if (found->kind != Kind::Absent)
        return refuse("Member \"" + std::string(name) + "\" comes twice", ec);
    member_ = &*found;
    return true;
}

bool JsonBodyBuilder::note_nested_key(std::string_view name, ParseError& ec) {
    const auto siblings = std::span(keys_).subspan(frames_[depth_]);
    const bool is_known = std::ranges::any_of(siblings, [&](const Span& key) {
        return std::string_view(key_bytes_).substr(key.from, key.size) == name;
    });
    if (is_known) return refuse("Member \"" + std::string(name) + "\" comes twice", ec);
    keys_.push_back({key_bytes_.size(), name.size()});
    key_bytes_.append(name);
    return true;
}

bool JsonBodyBuilder::on_string(Part last, std::size_t, ParseError& ec) {
    if (!begin_value(Kind::Text, ec)) return false;
    const auto text = complete(last);
    if (text.find('\0') != std::string_view::npos) return refuse("A string holds U+0000", ec);
    if (depth_ == 1) member_->span = store(text);
    if (depth_ == 2 && member_->kind == Kind::TextList) body_.items_.push_back(store(text));
    if (is_echoing()) echo_.string(text);
    pending_.clear();
    return true;
}

// Only one spelling of a number is an integer, whatever a double would make of the others.
bool JsonBodyBuilder::on_int64(std::int64_t value, Part text, ParseError& ec) {
    if (text == "-0") return refuse("-0 is not an integer; numbers are integers, never floats", ec);
    if (!begin_value(Kind::Integer, ec)) return false;
    if (depth_ == 1) member_->number = value;
    if (is_echoing()) echo_.integer(value);
    return true;
}

bool JsonBodyBuilder::on_uint64(std::uint64_t, Part, ParseError& ec) { return refuse_range(ec); }

// The parser also calls integers of more than 64 bits doubles.
bool JsonBodyBuilder::on_double(double, Part text, ParseError& ec) {
    if (text.find_first_of(".eE") == Part::npos) return refuse_range(ec);
    return refuse("Numbers are integers, never floats", ec);
}

bool JsonBodyBuilder::refuse_range(ParseError& ec) {
    return refuse("An integer does not fit 64 bits", ec);
}

bool JsonBodyBuilder::on_bool(bool value, ParseError& ec) {
    if (!begin_value(Kind::Boolean, ec)) return false;
    if (depth_ == 1) member_->number = value ? 1 : 0;
    if (is_echoing()) echo_.boolean(value);
    return true;
}

bool JsonBodyBuilder::on_null(ParseError& ec) {
    if (!begin_value(Kind::Null, ec)) return false;
    if (is_echoing()) echo_.null();
    return true;
}

bool JsonBodyBuilder::keep(Part part) {
    pending_.append(part.data(), part.size());
    return true;
}

// The whole string or key whose last part this is. Without escapes there is only that part.
std::string_view JsonBodyBuilder::complete(Part last) {
    if (pending_.empty()) return {last.data(), last.size()};
    keep(last);
    return pending_;
}

JsonBody::Span JsonBodyBuilder::store(std::string_view text) {
    const Span span{body_.arena_.size(), text.size()};
    body_.arena_.append(text);
    return span;
}

Result<JsonBody> JsonBody::parse(std::string_view body,
                                 std::span<const std::string_view> allowed_members) {
    JsonBody read(allowed_members);
    if (body.empty()) return read;
    read.arena_.reserve(body.size());  // one allocation; escapes in a nested object may need more
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::json::basic_parser<JsonBodyBuilder> parser(options, read);
    boost::json::error_code ec;
    const auto used = parser.write_some(false, body.data(), body.size(), ec);
    if (!ec && used == body.size()) return read;

    std::string reason = parser.handler().refusal();
    if (reason.empty())
        reason = ec ? "The body is not JSON: " + ec.message() : "The body goes on after its object";
    return fail(ErrorCode::InvalidJson,
                reason + " (at byte " + std::to_string(used) + " of the body).");
}

Result<JsonBody> JsonBody::parse(std::string_view body,
                                 std::initializer_list<std::string_view> allowed_members) {
    return parse(body, std::span(allowed_members.begin(), allowed_members.size()));
}

}  // namespace fencegate::proxy
