#include "server/settings/value.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/result.h"
#include "mqtt/topic.h"
#include "net/url.h"
#include "server/settings/toml_reader.h"
#include "server/settings/units.h"

namespace chappe::server {

namespace {

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};

// A message tells what stands in the file, but not the whole of it when somebody has put a novel there.
std::string shortened(std::string_view text) {
    constexpr std::size_t shown_max = 60;
    if (text.size() <= shown_max) return quote(text);
    auto end = shown_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // Not within a letter.
    return quote(text.substr(0, end)) + "...";
}

std::string describe(const Raw& raw) {
    return std::visit(Overloaded{
                          [](const Foreign& foreign) { return std::string(foreign.description); },
                          [](bool value) { return std::string(value ? "true" : "false"); },
                          [](std::int64_t value) { return std::to_string(value); },
                          [](const std::string& value) { return "the text " + shortened(value); },
                          [](const std::vector<Raw>&) { return std::string("an array"); },
                      },
                      raw.content);
}

std::string list_of_choices(const Key& key) {
    std::string list;
    for (std::size_t i = 0; i < key.choices.size(); ++i) {
        if (i != 0) list += i + 1 == key.choices.size() ? " or " : ", ";
        list += quote(key.choices[i]);
    }
    return list;
}

// The end of "KEY wants ...".
std::string description_of(const Key& key) {
    switch (key.type) {
        case Type::Boolean:
            return "true or false, without quotes";
        case Type::Integer:
            return "a whole number, without quotes";
        case Type::Size:
            return "a size such as \"16 MiB\", or a number of bytes";
        case Type::Duration:
            return "a duration such as \"5m\", or a number of seconds";
        case Type::Mode:
            return "an access mode as octal text, such as \"0660\"";
        case Type::Text:
            return "a text in quotes";
        case Type::Path:
            return "a path in quotes";
        case Type::Paths:
            return "an array of paths, such as [\"/etc/chappe/server.pem\"]";
        case Type::Texts:
            return "an array of texts, such as [" +
                   std::string(key.example.substr(1, key.example.find_first_of(",]") - 1)) + "]";
        case Type::Choice:
            return list_of_choices(key);
        case Type::Url:
            return "a URL in quotes, such as \"mqtt://127.0.0.1:1883\"";
        case Type::Urls:
            return "an array of URLs, such as [\"mqtt://127.0.0.1:1883\"]";
    }
    std::unreachable();
}

// Reads one value of one key. Every function returns what it read or why it cannot, without the key's name.
class ValueReader {
public:
    using Outcome = std::expected<Value, std::string>;

    ValueReader(const Key& key, const Raw& raw) : key_(key), raw_(raw) {}

    [[nodiscard]] Outcome read() const {
        switch (key_.type) {
            case Type::Boolean:
                return boolean();
            case Type::Integer:
                return integer();
            case Type::Size:
                return with_unit(parse_size);
            case Type::Duration:
                return with_unit(parse_duration);
            case Type::Mode:
                return mode();
            case Type::Text:
            case Type::Path:
                return text();
            case Type::Choice:
                return choice();
            case Type::Url:
                return url();
            case Type::Urls:
            case Type::Paths:
            case Type::Texts:
                break;  // For read_array().
        }
        std::unreachable();
    }

private:
    template <class T>
    [[nodiscard]] const T* as() const {
        return std::get_if<T>(&raw_.content);
    }

    [[nodiscard]] std::unexpected<std::string> wrong_type() const {
        return std::unexpected(fmt::format(" wants {}, not {}", description_of(key_), describe(raw_)));
    }

    [[nodiscard]] std::unexpected<std::string> wrong_text(std::string_view reason) const {
        return std::unexpected(fmt::format(": {}", reason));
    }

    [[nodiscard]] Outcome boolean() const {
        const auto* value = as<bool>();
        return value == nullptr ? Outcome(wrong_type()) : Outcome(*value);
    }

    [[nodiscard]] Outcome integer() const {
        const auto* number = as<std::int64_t>();
        return number == nullptr ? Outcome(wrong_type()) : in_range(*number);
    }

    [[nodiscard]] Outcome with_unit(std::expected<std::uint64_t, std::string> (*parse)(std::string_view)) const {
        if (const auto* number = as<std::int64_t>()) return in_range(*number);
        const auto* words = as<std::string>();
        if (words == nullptr) return wrong_type();
        if (!key_.word.text.empty() && *words == key_.word.text) return key_.word.value;
        const auto number = parse(*words);
        if (number) return in_range(*number);
        const auto or_word = key_.word.text.empty() ? "" : ", or " + quote(key_.word.text);
        return wrong_text(number.error() + or_word);
    }

    [[nodiscard]] Outcome mode() const {
        const auto* digits = as<std::string>();
        if (digits == nullptr) return wrong_type();
        const bool is_octal =
            digits->size() >= 3 && digits->size() <= 4 && digits->find_first_not_of("01234567") == std::string::npos;
        if (!is_octal) return wrong_type();
        return in_range(std::stoul(*digits, nullptr, 8));
    }

    [[nodiscard]] Outcome text() const {
        const auto* value = as<std::string>();
        if (value == nullptr) return wrong_type();
        const auto is_control = [](unsigned char letter) { return std::iscntrl(letter) != 0; };
        if (std::ranges::any_of(*value, is_control) || !mqtt::is_valid_utf8(*value)) {
            return std::unexpected(" wants printable text in UTF-8, not " + shortened(*value));
        }
        if (value->size() < key_.range.least) return std::unexpected(" cannot be empty");
        if (value->size() > key_.range.most) {
            return std::unexpected(fmt::format(" cannot be longer than {} bytes", key_.range.most));
        }
        return *value;
    }

    [[nodiscard]] Outcome choice() const {
        const auto* word = as<std::string>();
        if (word == nullptr) return wrong_type();
        if (std::ranges::find(key_.choices, *word) == key_.choices.end()) {
            return std::unexpected(fmt::format(" cannot be {}: it is {}", shortened(*word), list_of_choices(key_)));
        }
        return *word;
    }

    [[nodiscard]] Outcome url() const {
        const auto* text = as<std::string>();
        if (text == nullptr) return wrong_type();
        const auto parsed = net::ListenUrl::parse(*text);
        return parsed ? Outcome(parsed->text()) : Outcome(wrong_text(parsed.error().what));
    }

    template <class Number>
    [[nodiscard]] Outcome in_range(Number number) const {
        const bool fits =
            std::cmp_greater_equal(number, key_.range.least) && std::cmp_less_equal(number, key_.range.most);
        if (fits) return static_cast<std::uint64_t>(number);
        const auto* words = as<std::string>();
        const auto written = words == nullptr ? describe(raw_) : shortened(*words);
        return std::unexpected(fmt::format(" cannot be {}: the least is {} and the most {}", written,
                                           print_value(key_, key_.range.least), print_value(key_, key_.range.most)));
    }

    const Key& key_;
    const Raw& raw_;
};

Type item_type(const Key& array) {
    if (array.type == Type::Urls) return Type::Url;
    return array.type == Type::Paths ? Type::Path : Type::Text;
}

// An array is read item by item, so that each mistake is said, and at its own line.
std::expected<Value, std::vector<Mistake>> read_array(const Key& key, const Raw& raw) {
    const auto* items = std::get_if<std::vector<Raw>>(&raw.content);
    if (items == nullptr) {
        return std::unexpected(std::vector{Mistake{
            raw.position, fmt::format("{} wants {}, not {}", key.full_name(), description_of(key), describe(raw))}});
    }
    auto item_key = key;
    item_key.type = item_type(key);
    std::vector<std::string> texts;
    std::vector<Mistake> mistakes;
    for (const auto& item : *items) {
        auto text = ValueReader(item_key, item).read();
        if (text) {
            texts.push_back(std::get<std::string>(*std::move(text)));
        } else {
            mistakes.push_back({item.position, key.full_name() + text.error()});
        }
    }
    if (!mistakes.empty()) return std::unexpected(std::move(mistakes));
    return texts;
}

// Its places are those of no file.
std::expected<Raw, std::string> array_from_toml(const Key& key, std::string_view text) {
    auto document = read_toml(fmt::format("value = {}", text));
    const bool is_one = document.tables.size() == 1 && document.tables.front().entries.size() == 1;
    auto* items = is_one && document.mistakes.empty()
                      ? std::get_if<std::vector<Raw>>(&document.tables.front().entries.front().value.content)
                      : nullptr;
    if (items == nullptr) {
        return std::unexpected(fmt::format("{} wants {}, or its items without brackets and quotes, not the text {}",
                                           key.full_name(), description_of(key), shortened(text)));
    }
    for (auto& item : *items) item.position = {};
    return Raw{std::move(*items), {}};
}

std::string print_number(const Key& key, std::uint64_t number) {
    if (!key.word.text.empty() && number == key.word.value) return quote(key.word.text);
    switch (key.type) {
        case Type::Size: {
            auto size = print_size(number);
            return size.find(' ') == std::string::npos ? size : quote(size);
        }
        case Type::Duration:
            return quote(print_duration(number));
        case Type::Mode:
            return fmt::format("\"{:04o}\"", number);
        default:
            return std::to_string(number);
    }
}

std::string print_array(const std::vector<std::string>& texts) {
    std::string array = "[";
    for (const auto& text : texts) {
        if (array.size() > 1) array += ", ";
        array += quote(text);
    }
    return array + ']';
}

}  // namespace

std::expected<Value, std::vector<Mistake>> read_value(const Key& key, const Raw& raw) {
    if (key.is_array()) return read_array(key, raw);
    auto value = ValueReader(key, raw).read();
    if (value) return *std::move(value);
    return std::unexpected(std::vector{Mistake{raw.position, key.full_name() + value.error()}});
}

std::expected<Raw, std::string> raw_from_text(const Key& key, std::string_view text) {
    if (key.type == Type::Boolean && (text == "true" || text == "false")) return Raw{text == "true", {}};
    if (key.type == Type::Integer) {
        const auto number = parse_number(text);
        const bool fits = number && std::cmp_less_equal(*number, std::numeric_limits<std::int64_t>::max());
        if (fits) return Raw{static_cast<std::int64_t>(*number), {}};
    }
    if (!key.is_array()) return Raw{std::string(text), {}};
    if (text.starts_with('[') && text.ends_with(']')) return array_from_toml(key, text);
    std::vector<Raw> items;
    for (std::size_t begin = 0; !text.empty() && begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        items.push_back({std::string(text.substr(begin, end - begin)), {}});
        begin = end + 1;
    }
    return Raw{std::move(items), {}};
}

std::string print_value(const Key& key, const Value& value) {
    return std::visit(Overloaded{
                          [](std::monostate) { return std::string(); },
                          [](bool flag) { return std::string(flag ? "true" : "false"); },
                          [&](std::uint64_t number) { return print_number(key, number); },
                          [](const std::string& text) { return quote(text); },
                          [](const std::vector<std::string>& texts) { return print_array(texts); },
                      },
                      value);
}

std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (const auto letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') quoted += '\\';
        if (code < 0x20 || code == 0x7f) {
            quoted += fmt::format("\\u{:04X}", code);
        } else {
            quoted += letter;
        }
    }
    return quoted + '"';
}

}  // namespace chappe::server
