#pragma once

// A configuration file and a command line to settings, with where each value came from and all that there is to say
// about them. On a reload the same call is made with the same options: what it says decides whether the new settings
// are used.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings/finding.h"
#include "server/settings/key.h"

namespace chappe::server {

struct ConfigurationFile {
    std::string name;  // As the person wrote it; findings begin with it.
    std::string text;
};

// The error says why the file cannot be read: "No such file or directory".
[[nodiscard]] std::expected<std::string, std::string> read_text_file(const std::string& path,
                                                                     std::size_t mebibytes_max);
[[nodiscard]] std::expected<ConfigurationFile, std::string> read_configuration(const std::string& path);

// One setting from the command line. The last one for a setting holds.
struct Override {
    std::string option;               // "--listen", for messages.
    std::string name;                 // "server.listen"
    std::vector<std::string> values;  // Several for settings that are arrays, otherwise one.
};

// Where each effective value came from.
class Origins {
public:
    [[nodiscard]] const Origin& of(const Key& key) const { return keys_[index_of(key)]; }
    void set(const Key& key, const Origin& origin) { keys_[index_of(key)] = origin; }

    std::vector<Origin> listeners;  // One for each of Settings::listeners.

private:
    std::vector<Origin> keys_ = std::vector<Origin>(keys().size());
};

struct Loaded {
    Settings settings;
    Origins origins;
    std::vector<Finding> findings;     // By line.
    std::size_t settings_in_file = 0;  // How many values the file sets.

    [[nodiscard]] bool has_errors() const;
};

// `file` may be null. A value that is refused leaves the default in its place.
[[nodiscard]] Loaded load(const ConfigurationFile* file, const std::vector<Override>& overrides,
                          const Environment& environment);

}  // namespace chappe::server
