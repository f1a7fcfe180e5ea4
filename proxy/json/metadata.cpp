#include "proxy/json/metadata.hpp"

#include <algorithm>
#include <string>

namespace fencegate::proxy {
namespace {

// A string from its opening quote on; counts bytes as they were before they were escaped.
struct Text {
    std::string_view raw;  // without the quotes
    std::size_t bytes = 0;
};

Text take_text(std::string_view& json) {
    std::size_t at = 1;
    Text text;
    while (json[at] != '"') {
        if (json[at] != '\\') {
            ++at;
        } else {
            at += json[at + 1] == 'u' ? 6 : 2;  // the writer escapes single bytes only
        }
        ++text.bytes;
    }
    text.raw = json.substr(1, at - 1);
    json.remove_prefix(at + 1);
    return text;
}

std::unexpected<Error> refused(std::string_view name, std::string_view why) {
    return fail(ErrorCode::InvalidArgument,
                "metadata \"" + std::string(name) + "\" " + std::string(why));
}

Result<> take_value(std::string_view& json, std::string_view name) {
    if (json.front() == '{' || json.front() == '[')
        return refused(name, "must be a text, a whole number, true, false or null.");
    if (json.front() != '"') {
        json.remove_prefix(std::min(json.find_first_of(",}"), json.size()));
        return {};
    }
    if (take_text(json).bytes > kMetadataValueBytesMax)
        return refused(name, "must have at most 500 bytes.");
    return {};
}

}  // namespace

Result<> check_metadata(std::string_view object) {
    std::size_t members = 0;
    while (object.size() > 2) {
        object.remove_prefix(1);  // the brace, or the comma
        if (++members > kMetadataMembersMax)
            return fail(ErrorCode::InvalidArgument, "metadata must have at most 50 members.");
        const auto name = take_text(object);
        if (name.bytes > kMetadataNameBytesMax)
            return fail(ErrorCode::InvalidArgument,
                        "A name in metadata must have at most 40 bytes.");
        object.remove_prefix(1);  // the colon
        if (auto fits = take_value(object, name.raw); !fits) return fits;
    }
    return {};
}

}  // namespace fencegate::proxy
