#include "server/settings/toml_reader.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>

// The parser is compiled into this file: the broker then needs no shared library for it, and the fuzzers see inside.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace chappe::server {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_header(std::string_view line) { return trimmed(line).starts_with('['); }

// The text of a file as lines that can be replaced, with the numbers of the others unchanged.
class Lines {
public:
    explicit Lines(std::string_view text) {
        for (std::size_t begin = 0; begin <= text.size();) {
            const auto end = std::min(text.find('\n', begin), text.size());
            lines_.emplace_back(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    // A mistake at the end of the file is reported on the line after the last.
    [[nodiscard]] std::string& at(std::size_t number) {
        return lines_[std::clamp<std::size_t>(number, 1, lines_.size()) - 1];
    }

    // A section whose name cannot be read takes its settings with it: they would be wrong in the section before.
    void blank_section(std::size_t number) {
        at(number).clear();
        while (number < lines_.size() && !is_header(at(number + 1))) at(++number).clear();
    }

    [[nodiscard]] std::string text() const { return fmt::format("{}", fmt::join(lines_, "\n")); }

private:
    std::vector<std::string> lines_;
};

// A line "name = value # comment", as far as it is one.
struct Assignment {
    std::string_view name;
    std::string_view value;
    bool has_equals = false;

    explicit Assignment(std::string_view line) {
        const auto equals = line.find('=');
        has_equals = equals != std::string_view::npos;
        name = trimmed(line.substr(0, equals));
        if (has_equals) value = trimmed(line.substr(equals + 1));
        if (!value.starts_with('"') && !value.starts_with('\'')) value = trimmed(value.substr(0, value.find('#')));
    }
};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view known) {
        return std::ranges::equal(word, known, [](char a, char b) { return std::tolower(a) == b; });
    });
}

// Could be a text that only lacks its quotes.
bool is_bare_text(std::string_view value) {
    constexpr std::size_t shown_max = 60;
    return !value.empty() && value.size() <= shown_max && value.find_first_of("\"'[]{}\\") == std::string_view::npos;
}

// What would be right in place of a line that TOML does not allow, judged by the commonest slips. May be empty.
std::string advice(std::string_view line, std::string_view description) {
    const auto says = [&](std::string_view words) { return description.find(words) != std::string_view::npos; };
    const Assignment assignment(line);
    if (says("utf-8")) return "save the file as UTF-8";
    if (says("redefine")) return "a name is written once";
    if (is_header(line)) return "a section is written [name] on a line of its own";
    if (says("escape sequence")) return "in \"...\" a backslash is written twice, and in '...' it stands for itself";
    if (says("comma")) return "put a comma between two values, and ] after the last";
    if (!assignment.has_equals) return "write: name = value";
    if (assignment.value.empty()) return "write a value after the =";
    if (says("control characters")) return "close the text with the same quote that opens it";
    if (is_one_of(assignment.value, {"yes", "on", "true", "no", "off", "false"}))
        return "write true or false, in lower case";
    if (is_bare_text(assignment.value))
        return fmt::format("put it in quotes: {} = \"{}\"", assignment.name, assignment.value);
    return "";
}

// toml++ begins with what it was doing, which the line shows by itself.
std::string_view without_introduction(std::string_view description) {
    const auto colon = description.starts_with("Error while parsing") ? description.find(": ") : std::string_view::npos;
    return colon == std::string_view::npos ? description : description.substr(colon + 2);
}

// A setting or section that was there before. For the parser it gets another name, so that the rest can be read.
struct Duplicate {
    std::string stand_in;
    std::string name;
    bool is_section = false;
    bool is_repeated = false;  // A section with two brackets.
    Position position;
};

std::string_view name_in_header(std::string_view line) {
    const auto begin = std::min(line.find_first_not_of(" \t["), line.size());
    return trimmed(line.substr(begin, std::min(line.find(']', begin), line.size()) - begin));
}

// Whether a complaint of toml++ is about the name that the line begins with, and not about one within its value.
bool names_the_line(std::string_view description, std::string_view line) {
    if (is_header(line)) return true;
    return description.ends_with(fmt::format(" '{}'", Assignment(line).name));
}

// Parses a text in spite of its mistakes: notes the first, takes it out of the text, and tries again.
class TolerantParser {
public:
    explicit TolerantParser(std::string_view text) : lines_(text) {}

    // Nothing where the rest cannot be understood without what is wrong.
    [[nodiscard]] std::optional<toml::table> parse() {
        constexpr int mistakes_max = 20;
        for (int i = 0; i < mistakes_max; ++i) {
            auto result = toml::parse(lines_.text());
            if (result) return std::move(result).table();
            if (!take_out(result.error())) break;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::vector<Mistake>& mistakes() { return mistakes_; }

    [[nodiscard]] const std::vector<Duplicate>& duplicates() const { return duplicates_; }

private:
    bool take_out(const toml::parse_error& error) {
        const Position position{error.source().begin.line, error.source().begin.column};
        const auto& description = error.description();
        auto& line = lines_.at(position.line);
        const bool again = position.line == last_line_;
        last_line_ = position.line;
        const bool is_duplicate = description.find("redefine") != std::string_view::npos;
        if (is_duplicate && !again && names_the_line(description, line)) {
            rename_duplicate(position);
            return true;
        }
        // A line that is right by itself has its mistake above it, and nobody knows where.
        const bool is_here = !again && (is_duplicate || !toml::parse(line));
        note(position, description,
             is_here ? advice(line, description) : "is an array or a text above this line not closed?");
        if (is_here && is_header(line)) {
            lines_.blank_section(position.line);
        } else {
            line.clear();
        }
        return is_here;
    }

    void note(const Position& position, std::string_view description, const std::string& hint) {
        mistakes_.push_back(
            {position, fmt::format("this is not TOML: {} at column {}{}{}", without_introduction(description),
                                   position.column, hint.empty() ? "" : "; ", hint)});
    }

    void rename_duplicate(const Position& position) {
        auto& line = lines_.at(position.line);
        const auto stand_in = fmt::format("set again on line {}", position.line);
        Duplicate duplicate{.stand_in = stand_in, .position = position};
        if (is_header(line)) {
            duplicate.name = name_in_header(line);
            duplicate.is_section = true;
            duplicate.is_repeated = trimmed(line).starts_with("[[");
            line = fmt::format("[\"{}\"]", stand_in);
        } else {
            duplicate.name = Assignment(line).name;
            line = fmt::format("\"{}\"{}", stand_in, line.substr(std::min(line.find('='), line.size())));
        }
        duplicates_.push_back(std::move(duplicate));
    }

    Lines lines_;
    std::vector<Mistake> mistakes_;
    std::vector<Duplicate> duplicates_;
    std::size_t last_line_ = 0;
};

Position position_of(const toml::source_region& source) { return {source.begin.line, source.begin.column}; }

Raw to_raw(const toml::node& node) {
    const auto position = position_of(node.source());
    if (const auto* flag = node.as_boolean()) return {flag->get(), position};
    if (const auto* number = node.as_integer()) return {number->get(), position};
    if (const auto* text = node.as_string()) return {text->get(), position};
    if (const auto* array = node.as_array()) {
        std::vector<Raw> items;
        for (const auto& item : *array) items.push_back(to_raw(item));
        return {std::move(items), position};
    }
    if (node.is_table()) return {Foreign{"a section"}, position};
    return {Foreign{node.is_floating_point() ? "a number with a fraction" : "a date"}, position};
}

// toml++ has everything by name; people expect what stands first to come first.
void sort_by_place(auto& items) {
    std::ranges::sort(items, {}, [](const auto& item) { return std::pair(item.position.line, item.position.column); });
}

Table to_table(std::string_view name, const toml::table& source, bool is_repeated) {
    Table table{std::string(name), position_of(source.source()), is_repeated, {}};
    for (const auto& [key, node] : source) {
        table.entries.push_back({std::string(key.str()), position_of(key.source()), to_raw(node)});
    }
    sort_by_place(table.entries);
    return table;
}

std::vector<Table> to_tables(const toml::table& root) {
    Table top;
    std::vector<Table> tables;
    for (const auto& [key, node] : root) {
        if (const auto* section = node.as_table()) {
            tables.push_back(to_table(key.str(), *section, false));
        } else if (node.is_array_of_tables()) {
            for (const auto& one : *node.as_array()) tables.push_back(to_table(key.str(), *one.as_table(), true));
        } else {
            top.entries.push_back({std::string(key.str()), position_of(key.source()), to_raw(node)});
        }
    }
    sort_by_place(top.entries);
    tables.push_back(std::move(top));
    sort_by_place(tables);
    return tables;
}

// The settings of a repeated section are read like those of the first. A section that is there as something else, with
// more brackets or as a setting, is already said to be wrong for that.
void resolve_section(const Duplicate& duplicate, Document& document) {
    const auto first = std::ranges::find(document.tables, duplicate.name, &Table::name);
    if (first != document.tables.end() && first->is_repeated == duplicate.is_repeated) {
        document.mistakes.push_back(
            {duplicate.position, fmt::format("section [{}] is there already, on line {}: put its settings together",
                                             duplicate.name, first->position.line)});
    }
    for (auto& table : document.tables) {
        if (table.name != duplicate.stand_in) continue;
        table.name = duplicate.name;
        table.is_repeated = duplicate.is_repeated;
    }
}

// The first one is in the same table, where a name can be once; one with dots has been put somewhere else.
void resolve_entry(const Duplicate& duplicate, Document& document) {
    std::string first_line;
    for (auto& table : document.tables) {
        const auto removed =
            std::erase_if(table.entries, [&](const Entry& entry) { return entry.name == duplicate.stand_in; });
        const auto first = std::ranges::find(table.entries, duplicate.name, &Entry::name);
        if (removed != 0 && first != table.entries.end())
            first_line = fmt::format(", on line {}", first->position.line);
    }
    document.mistakes.push_back(
        {duplicate.position, fmt::format("{} is set already{}: remove one of the two", duplicate.name, first_line)});
}

}  // namespace

Document read_toml(std::string_view text) {
    TolerantParser parser(text);
    const auto root = parser.parse();
    Document document;
    if (root) document.tables = to_tables(*root);
    document.mistakes = std::move(parser.mistakes());
    for (const auto& duplicate : parser.duplicates()) {
        duplicate.is_section ? resolve_section(duplicate, document) : resolve_entry(duplicate, document);
    }
    return document;
}

}  // namespace chappe::server
