#include "tests/tidy/source_text.hpp"

#include <algorithm>
#include <cctype>

namespace fencegate::tidy {
namespace {

bool is_word(char byte) {
    return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_';
}

// Walks over a text once; each take_... copies one token to where it belongs.
class Splitter {
public:
    explicit Splitter(std::string_view text) : text_(text) {
        parts_.code = blanks();
        parts_.comments = parts_.code;
    }

    SourceText run() && {
        while (at_ < text_.size()) {
            if (starts("//")) {
                copy_until(text_.find('\n', at_), parts_.comments);
            } else if (starts("/*")) {
                const auto end = text_.find("*/", at_ + 2);
                copy_until(end == std::string_view::npos ? end : end + 2, parts_.comments);
            } else if (starts("R\"") && (at_ == 0 || !is_word(text_[at_ - 1]))) {
                skip_raw_string();
            } else if (text_[at_] == '"') {
                skip_literal('"');
            } else if (text_[at_] == '\'' && (at_ == 0 || !is_word(text_[at_ - 1]))) {
                skip_literal('\'');  // after a digit it is a separator
            } else {
                parts_.code[at_] = text_[at_];
                ++at_;
            }
        }
        return std::move(parts_);
    }

private:
    [[nodiscard]] std::string blanks() const {
        std::string blank(text_);
        std::ranges::replace_if(
            blank, [](char byte) { return byte != '\n'; }, ' ');
        return blank;
    }

    [[nodiscard]] bool starts(std::string_view prefix) const {
        return text_.substr(at_).starts_with(prefix);
    }

    void copy_until(std::size_t end, std::string& part) {
        for (end = std::min(end, text_.size()); at_ < end; ++at_) part[at_] = text_[at_];
    }

    void skip_literal(char quote) {
        parts_.code[at_++] = quote;
        while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
            at_ += text_[at_] == '\\' ? 2 : 1;
        }
        if (at_ < text_.size() && text_[at_] == quote) parts_.code[at_++] = quote;
    }

    void skip_raw_string() {
        const auto open = std::min(text_.find('(', at_), text_.size());
        const auto closing = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
        parts_.code[at_ + 1] = '"';
        const auto end = text_.find(closing, open);
        at_ = end == std::string_view::npos ? text_.size() : end + closing.size();
        parts_.code[at_ - 1] = '"';
    }

    std::string_view text_;
    std::size_t at_ = 0;
    SourceText parts_;
};

}  // namespace

SourceText take_apart(std::string_view text) { return Splitter(text).run(); }

std::size_t line_of(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<std::size_t> find_all(std::string_view text, std::string_view token) {
    std::vector<std::size_t> found;
    for (auto at = text.find(token); at != std::string_view::npos; at = text.find(token, at + 1)) {
        if (at == 0 || !is_word(text[at - 1]) || !is_word(token.front())) found.push_back(at);
    }
    return found;
}

}  // namespace fencegate::tidy
