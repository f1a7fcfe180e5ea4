#include "proxy/access/key_file.hpp"

#include "base/file.hpp"
#include "base/hex.hpp"
#include "base/start_failure.hpp"
#include "proxy/config/toml_reader.hpp"

#include <algorithm>
#include <array>

namespace fencegate::proxy {
namespace {

using std::filesystem::path;

constexpr std::string_view kCreatedAtAlphabet = "0123456789-:.TZ+";
constexpr std::size_t kCreatedAtBytesMax = 40;

// One [[key]] table, entry by entry.
class RecordReader {
public:
    explicit RecordReader(const TomlFile& file) : file_(file) {}

    Result<KeyRecord> read(const toml::table& table) {
        for (const auto& [key, node] : table) {
            if (auto entry = read_entry(key, node); !entry) return std::unexpected(entry.error());
        }
        // Each is known and none comes twice, so their number tells whether one is missing.
        if (table.size() != kEntries) {
            return file_.refuse(table,
                                "a [[key]] needs id, principal, scopes, sha256 and "
                                "created_at; complete or remove it");
        }
        return std::move(record_);
    }

private:
    static constexpr std::size_t kEntries = 5;

    Result<> read_entry(const toml::key& key, const toml::node& node) {
        if (key.str() == "scopes") return read_scopes(node);
        const bool is_known = key.str() == "id" || key.str() == "principal" ||
                              key.str() == "sha256" || key.str() == "created_at";
        if (!is_known) return file_.refuse_unknown(key);
        const auto text = file_.text(key.str(), node);
        if (!text) return std::unexpected(text.error());
        return read_text(key.str(), *text, node);
    }

    Result<> read_text(std::string_view name, const std::string& text, const toml::node& node) {
        if (name == "id") {
            const auto id = parse_key_id(text);
            if (!id) return file_.refuse(node, "`id` must be 12 hex digits; correct it");
            record_.id = *id;
        } else if (name == "principal") {
            if (!is_principal_name(text)) {
                return file_.refuse(node, "`principal` must be 1 to 64 of A-Z a-z 0-9 . _ -");
            }
            record_.principal.name = text;
        } else if (name == "sha256") {
            const auto digest = parse_hex<sizeof(Sha256)>(text);
            if (!digest) return file_.refuse(node, "`sha256` must be 64 hex digits; correct it");
            record_.sha256 = *digest;
        } else {
            return read_created_at(text, node);
        }
        return {};
    }

    Result<> read_created_at(const std::string& text, const toml::node& node) {
        if (text.size() > kCreatedAtBytesMax ||
            text.find_first_not_of(kCreatedAtAlphabet) != std::string::npos) {
            return file_.refuse(node, "`created_at` must be an RFC 3339 time; correct it");
        }
        record_.created_at = text;
        return {};
    }

    Result<> read_scopes(const toml::node& node) {
        const auto* array = node.as_array();
        if (array == nullptr) return file_.refuse(node, "`scopes` must be a list: [\"*\"]");
        std::vector<std::string> texts;
        for (const auto& element : *array) {
            auto text = file_.text("scopes", element);
            if (!text) return std::unexpected(std::move(text.error()));
            texts.push_back(std::move(*text));
        }
        const auto scopes = parse_scopes(texts);
        if (!scopes) return file_.refuse(node, scopes.error().detail);
        record_.principal.scopes = *scopes;
        return {};
    }

    const TomlFile& file_;
    KeyRecord record_;
};

Result<> append_record(const TomlFile& file, const toml::node& node,
                       std::vector<KeyRecord>& records) {
    const auto* table = node.as_table();
    if (table == nullptr) return file.refuse(node, "`key` must be tables: [[key]]");
    auto record = RecordReader(file).read(*table);
    if (!record) return std::unexpected(std::move(record.error()));
    if (std::ranges::find(records, record->id, &KeyRecord::id) != records.end()) {
        return file.refuse(node, "key id " + to_string(record->id) + " is there twice; remove one");
    }
    records.push_back(std::move(*record));
    return {};
}

// Every value was checked against an alphabet without quotes or backslashes.
std::string to_toml(const KeyRecord& record) {
    std::string text("\n[[key]]\nid = \"");
    text.append(to_string(record.id)).append("\"\nprincipal = \"");
    text.append(record.principal.name).append("\"\nscopes = [");
    const char* separator = "";
    for (const auto& scope : to_texts(record.principal.scopes)) {
        text.append(separator).append("\"").append(scope).append("\"");
        separator = ", ";
    }
    text.append("]\nsha256 = \"").append(to_hex(record.sha256)).append("\"\ncreated_at = \"");
    return text.append(record.created_at).append("\"\n");
}

Result<> write_key_file(const path& keys_file, const std::vector<KeyRecord>& records) {
    std::string text =
        "# API keys, by the SHA-256 of their text. Changed by `fencegate key add` and `key "
        "revoke`,\n"
        "# which rewrite the file: comments are not kept. The gateway reads it again on SIGHUP.\n";
    for (const auto& record : records) text.append(to_toml(record));
    return write_file_atomically(keys_file, text, FileMode::Secret);
}

// The folder and the lock file are removed again if they were made for a change that fails.
class KeysLock {
public:
    static Result<KeysLock> take(const path& data_dir) {
        auto folders = MadeFolders::make(data_dir);
        if (!folders) return std::unexpected(folders.error());
        auto lock = FileLock::acquire(data_dir / "keys.lock");
        if (!lock) return std::unexpected(lock.error());
        return KeysLock(*std::move(folders), *std::move(lock));
    }
    // What became of the change.
    Result<> end(Result<> done) {
        if (done) lock_.keep();
        return done;
    }

private:
    KeysLock(MadeFolders folders, FileLock lock)
        : folders_(std::move(folders)), lock_(std::move(lock)) {}
    MadeFolders folders_;
    FileLock lock_;
};

bool is_there(const path& file) {
    std::error_code ec;
    return std::filesystem::symlink_status(file, ec).type() !=
           std::filesystem::file_type::not_found;
}

Result<std::vector<KeyRecord>> read_if_there(const path& keys_file) {
    if (!is_there(keys_file)) return std::vector<KeyRecord>();
    return read_key_file(keys_file);
}

Result<std::vector<KeyRecord>> records_without(const path& data_dir, KeyId id) {
    auto records = read_if_there(keys_file_in(data_dir));
    if (!records) return records;
    if (std::erase_if(*records, [id](const auto& record) { return record.id == id; }) > 0)
        return records;
    return fail_start(StartFailure::BadConfig, "there is no key " + to_string(id) + " in " +
                                                   keys_file_in(data_dir).string() +
                                                   "; see `fencegate key list`");
}

struct NewKey {
    KeyRecord record;
    std::string text;
};

NewKey generate_key(const Principal& principal, const std::vector<KeyRecord>& others,
                    Random& random, WallTime now) {
    KeyId id;
    do {
        std::array<std::uint8_t, 6> bytes{};
        random.fill(bytes);
        id.value = 0;
        for (const auto byte : bytes) id.value = id.value << 8 | byte;
    } while (std::ranges::find(others, id, &KeyRecord::id) != others.end());

    std::array<std::uint8_t, 32> secret{};
    random.fill(secret);
    auto text = key_text(id, secret);
    const auto digest = sha256_of(text);
    return {{id, principal, digest, rfc3339(now).text}, std::move(text)};
}

}  // namespace

path keys_file_in(const path& data_dir) { return data_dir / "keys.toml"; }

path first_key_file_in(const path& data_dir) { return data_dir / "api-key"; }

Result<std::vector<KeyRecord>> read_key_file(const path& keys_file) {
    const auto file = TomlFile::load(keys_file);
    if (!file) return std::unexpected(file.error());
    std::vector<KeyRecord> records;
    for (const auto& [key, node] : file->root()) {
        if (key.str() != "key") return file->refuse_unknown(key);
        const auto* keys = node.as_array();
        if (keys == nullptr) return file->refuse(node, "`key` must be tables: [[key]]");
        for (const auto& element : *keys) {
            auto appended = append_record(*file, element, records);
            if (!appended) return std::unexpected(std::move(appended.error()));
        }
    }
    return records;
}

Result<> check_keys(const path& data_dir) {
    const auto records = read_if_there(keys_file_in(data_dir));
    return records ? Result<>() : Result<>(std::unexpected(records.error()));
}

Result<std::string> add_key(const path& data_dir, const Principal& principal, Random& random,
                            WallTime now) {
    if (!is_principal_name(principal.name) || principal.scopes.is_empty()) {
        return fail_start(StartFailure::BadConfig,
                          "a key needs a scope and a principal of 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    // Who is refused makes no folder and no lock file.
    if (const auto sound = read_if_there(keys_file_in(data_dir)); !sound)
        return std::unexpected(sound.error());
    auto lock = KeysLock::take(data_dir);
    if (!lock) return std::unexpected(lock.error());
    auto records = read_if_there(keys_file_in(data_dir));
    if (!records) return std::unexpected(std::move(records.error()));
    auto key = generate_key(principal, *records, random, now);
    records->push_back(std::move(key.record));
    auto written = lock->end(write_key_file(keys_file_in(data_dir), *records));
    if (!written) return std::unexpected(std::move(written.error()));
    return std::move(key.text);
}

Result<> revoke_key(const path& data_dir, KeyId id) {
    // Who is refused makes no folder and no lock file.
    if (const auto known = records_without(data_dir, id); !known)
        return std::unexpected(known.error());
    auto lock = KeysLock::take(data_dir);
    if (!lock) return std::unexpected(lock.error());
    const auto records = records_without(data_dir, id);
    if (!records) return std::unexpected(records.error());
    return lock->end(write_key_file(keys_file_in(data_dir), *records));
}

Result<std::vector<KeyRecord>> list_keys(const path& data_dir) {
    return read_key_file(keys_file_in(data_dir));
}

Result<std::optional<std::string>> ensure_first_key(const path& data_dir, Random& random,
                                                    WallTime now) {
    auto lock = KeysLock::take(data_dir);
    if (!lock) return std::unexpected(lock.error());
    if (is_there(keys_file_in(data_dir))) {
        static_cast<void>(lock->end({}));
        return std::optional<std::string>();
    }
    auto key = generate_key({"default", ScopeSet::all()}, {}, random, now);
    // The text first: a crash in between must not leave a key in force that nobody has seen.
    auto shown =
        write_file_atomically(first_key_file_in(data_dir), key.text + "\n", FileMode::Secret);
    if (!shown) return std::unexpected(std::move(shown.error()));
    auto written = lock->end(write_key_file(keys_file_in(data_dir), {key.record}));
    if (!written) {
        std::error_code ignored;  // nobody will know it
        std::filesystem::remove(first_key_file_in(data_dir), ignored);
        return std::unexpected(std::move(written.error()));
    }
    return std::optional(std::move(key.text));
}

}  // namespace fencegate::proxy
