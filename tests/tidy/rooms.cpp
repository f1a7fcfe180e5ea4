#include "tests/tidy/rooms.hpp"

#include "tests/tidy/source_text.hpp"

#include <algorithm>
#include <sstream>

namespace fencegate::tidy {
namespace {

const std::vector<Room> kRooms{
    Room{"storage/money", {}},
    Room{"storage/model", {"storage/money"}},
    Room{"storage/documents", {"storage/money", "storage/model"}},
    Room{"storage/verify", {"storage/money", "storage/model", "storage/documents"}},
    Room{"storage/unit", {"storage/money", "storage/model", "storage/documents"}},
    Room{"storage/sqlite", {"storage/money", "storage/model", "storage/verify", "storage/unit"}},
    Room{"storage/postgres", {"storage/model", "storage/unit"}},
    Room{"storage/memory", {"storage/model", "storage/unit"}},
    Room{"storage/commands",
         {"storage/money", "storage/model", "storage/documents", "storage/unit"}},
    Room{"storage/copies", {"storage/model", "storage/sqlite", "storage/verify"}},
    Room{"storage/batch", {"storage/money", "storage/model", "storage/unit", "storage/commands"}},
    Room{"storage/embedded",
         {"storage/model", "storage/sqlite", "storage/postgres", "storage/batch"}},
    Room{"proxy/json", {}},
    Room{"proxy/config", {}},
    Room{"proxy/streams", {}},
    Room{"proxy/access", {"proxy/config"}},
    Room{"proxy/tls", {"proxy/config"}},
    Room{"proxy/http", {"proxy/streams", "proxy/access"}},
    Room{"proxy/telemetry", {"proxy/http"}},
    Room{"proxy/api", {"proxy/json", "proxy/access", "proxy/http"}},
    Room{"proxy/admin", {"proxy/access", "proxy/http", "proxy/telemetry", "proxy/api"}},
    Room{"proxy/net",
         {"proxy/config", "proxy/streams", "proxy/telemetry", "proxy/tls", "proxy/http"}},
    Room{"proxy/gateway",
         {"proxy/config", "proxy/streams", "proxy/telemetry", "proxy/access", "proxy/tls",
          "proxy/api", "proxy/admin", "proxy/net"}},
    Room{"cli/client", {}},
    Room{"cli/commands", {"cli/client"}},
    Room{"cli/top", {"cli/client", "cli/commands"}},
    Room{"cli", {"cli/commands", "cli/top"}},
};

std::string_view floor_of(std::string_view path) { return path.substr(0, path.find('/')); }

// "storage/commands" of "storage/commands/replay.cpp"; "cli" of "cli/main.cpp".
std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

const Room* find_room(std::span<const Room> table, std::string_view name) {
    const auto at = std::ranges::find(table, name, &Room::name);
    return at == table.end() ? nullptr : &*at;
}

bool has_rooms(std::span<const Room> table, std::string_view floor) {
    return std::ranges::any_of(table,
                               [&](const Room& room) { return floor_of(room.name) == floor; });
}

bool may_use(const Room& room, std::string_view other) {
    return std::ranges::find(room.uses, other) != room.uses.end();
}

struct Include {
    std::size_t line;
    std::string_view name;
};

std::vector<Include> own_includes(const SourceFile& file) {
    constexpr std::string_view kInclude = "#include \"";
    std::vector<Include> found;
    const auto code = take_apart(file.text).code;
    const auto code_lines = lines_of(code);  // an include inside a literal is blank here
    const auto lines = lines_of(file.text);
    for (std::size_t at = 0; at < lines.size(); ++at) {
        if (!code_lines[at].starts_with(kInclude)) continue;
        const auto name = lines[at].substr(kInclude.size());
        found.push_back({at + 1, name.substr(0, name.find('"'))});
    }
    return found;
}

bool is_arrow(const SourceFile& file, std::string_view included) {
    return floor_of(included) == floor_of(file.path) && folder_of(included) != folder_of(file.path);
}

}  // namespace

std::span<const Room> rooms() { return kRooms; }

Findings check_table(std::span<const Room> table) {
    Findings findings;
    for (std::size_t row = 0; row < table.size(); ++row) {
        for (const auto use : table[row].uses) {
            const bool is_earlier = find_room(table.first(row), use) != nullptr;
            if (is_earlier && floor_of(use) == floor_of(table[row].name)) continue;
            findings.push_back(
                {std::string(table[row].name), 0,
                 "may use " + std::string(use) + ", which is no earlier room of its floor"});
        }
    }
    return findings;
}

std::vector<Arrow> arrows_of(const SourceFile& file) {
    std::vector<Arrow> arrows;
    for (const auto& include : own_includes(file)) {
        if (!is_arrow(file, include.name)) continue;
        arrows.push_back({std::string(folder_of(file.path)), std::string(folder_of(include.name))});
    }
    return arrows;
}

Findings check_rooms(const SourceFile& file, std::span<const Room> table) {
    if (!has_rooms(table, floor_of(file.path))) return {};
    const auto* room = find_room(table, folder_of(file.path));
    if (room == nullptr) return {{file.path, 0, "lies in no room of tests/tidy/rooms.cpp"}};
    Findings findings;
    for (const auto& include : own_includes(file)) {
        if (!is_arrow(file, include.name) || may_use(*room, folder_of(include.name))) continue;
        findings.push_back(
            {file.path, include.line,
             std::string(room->name) + " may not use " + std::string(folder_of(include.name))});
    }
    return findings;
}

Findings check_unused_arrows(const std::set<Arrow>& used, std::span<const Room> table) {
    Findings findings;
    for (const auto& room : table) {
        for (const auto use : room.uses) {
            if (used.contains({std::string(room.name), std::string(use)})) continue;
            findings.push_back(
                {std::string(room.name), 0, "may use " + std::string(use) + ", and does not"});
        }
    }
    return findings;
}

Findings check_drawn(std::string_view architecture, std::span<const Room> table) {
    Findings findings;
    for (const auto& room : table) {
        if (room.name.find('/') == std::string_view::npos) continue;  // a floor: the program
        const auto start = "| `" + std::string(room.name) + "/` |";
        std::string end = "|";
        for (std::string_view comma = " "; const auto use : room.uses) {
            end.append(comma).append(use.substr(use.find('/') + 1));
            comma = ", ";
        }
        end += " |";
        const auto is_row = [&](std::string_view line) {
            return line.starts_with(start) && line.ends_with(end);
        };
        if (std::ranges::any_of(lines_of(architecture), is_row)) continue;
        findings.push_back({"docs/architecture.md", 0,
                            "has no row that says what " + std::string(room.name) + " uses"});
    }
    return findings;
}

Findings check_links(const Room& room, const SourceFile& cmake_list) {
    constexpr std::string_view kUses = "    USES ";
    const std::string floor(floor_of(room.name));
    std::vector<std::string> linked;
    for (const auto line : lines_of(cmake_list.text)) {
        if (!line.starts_with(kUses)) continue;
        std::istringstream words{std::string(line.substr(kUses.size()))};
        for (std::string word; words >> word;) linked.push_back(floor + "/" + word);
    }
    if (std::ranges::equal(linked, room.uses)) return {};
    return {{cmake_list.path, 0, "USES is not what tests/tidy/rooms.cpp lets this room use"}};
}

}  // namespace fencegate::tidy
