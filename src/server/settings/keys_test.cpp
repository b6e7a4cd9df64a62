// The table of settings itself: whatever a new row forgets, fails here.

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "broker/counters.h"
#include "broker/limits.h"
#include "server/settings/load.h"
#include "server/settings/value.h"

namespace chappe::server {

namespace {

class EachKey : public testing::TestWithParam<const Key*> {
protected:
    [[nodiscard]] const Key& key() const { return *GetParam(); }

    // The value that a file has for this key, when it stands there as `text`.
    [[nodiscard]] Loaded load_as(const std::string& text) const {
        const auto url = key().is_of_listener() && key().type != Type::Url ? "url = \"unix:/x\"\n" : "";
        const auto header = key().is_of_listener() ? "[[listener]]\n" : '[' + std::string(key().section) + "]\n";
        const ConfigurationFile file{"f", header + url + std::string(key().name) + " = " + text + "\n"};
        return load(&file, {}, {});
    }

    [[nodiscard]] Value value_in(const Loaded& loaded) const {
        return key().is_of_listener() ? key().get(loaded.settings.listeners.at(0)) : key().get(loaded.settings);
    }

    // Findings of the value alone: what it means for the other settings is not this test's question.
    [[nodiscard]] std::string first_error(const std::string& text) const {
        const auto loaded = load_as(text);
        for (const auto& finding : loaded.findings) {
            if (finding.message.starts_with(key().full_name())) return finding.message;
        }
        return "";
    }

    [[nodiscard]] bool is_array() const { return key().is_array(); }

    [[nodiscard]] bool has_range() const {
        return key().type == Type::Integer || key().type == Type::Size || key().type == Type::Duration;
    }
};

std::vector<const Key*> all_keys() {
    std::vector<const Key*> all;
    for (const auto& key : keys()) all.push_back(&key);
    return all;
}

std::string name_of(const testing::TestParamInfo<const Key*>& info) {
    auto name = info.param->full_name();
    std::ranges::replace(name, '.', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Keys, EachKey, testing::ValuesIn(all_keys()), name_of);

TEST_P(EachKey, IsFoundByItsName) {
    EXPECT_EQ(find_key(key().full_name()), &key());
    EXPECT_NE(find_section(key().section), nullptr);
    EXPECT_EQ(&keys()[index_of(key())], &key());
}

TEST_P(EachKey, IsDescribed) {
    EXPECT_GE(key().text.size(), 40u);
    EXPECT_TRUE(key().text.ends_with('.'));
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(key().text.front())) || key().text.starts_with('`'));
    EXPECT_EQ(key().unit.empty(), key().type != Type::Integer);
    EXPECT_EQ(key().choices.empty(), key().type != Type::Choice);
    // A number's unit that the type does not tell is in the name.
    EXPECT_EQ(key().type == Type::Duration, key().name.ends_with("_seconds"));
}

TEST_P(EachKey, HasAnExampleThatIsRight) {
    EXPECT_EQ(first_error(std::string(key().example)), "");
    EXPECT_NE(value_in(load_as(std::string(key().example))),
              key().is_of_listener() ? key().get(Listener()) : key().get(default_settings({})))
        << "the example should show something else than the default";
}

TEST_P(EachKey, HasADefaultThatIsRight) {
    if (key().is_of_listener()) return;  // Their defaults are those of Listener, which has no file to be read from.
    const auto value = key().get(default_settings({}));
    const auto printed = print_value(key(), value);
    EXPECT_EQ(first_error(printed), "");
    EXPECT_EQ(value_in(load_as(printed)), value);
}

TEST_P(EachKey, ReadsWhatItPrints) {
    const auto value = value_in(load_as(std::string(key().example)));
    EXPECT_EQ(value_in(load_as(print_value(key(), value))), value);
}

TEST_P(EachKey, RemembersItsLine) {
    const auto loaded = load_as(std::string(key().example));
    const auto& origin =
        key().is_of_listener() || key().type == Type::Urls ? loaded.origins.listeners.at(0) : loaded.origins.of(key());
    EXPECT_EQ(to_string(origin), "f:2");
}

TEST_P(EachKey, IsReadFromTheCommandLine) {
    if (key().is_of_listener()) return;  // Those are set in a file only.
    const auto value = value_in(load_as(std::string(key().example)));
    auto text = print_value(key(), value);
    std::erase_if(text, [](char letter) { return letter == '"' || letter == '[' || letter == ']'; });
    std::erase(text, is_array() ? ' ' : '\0');
    const auto loaded = load(nullptr, {{"--set", key().full_name(), {text}}}, {});
    EXPECT_EQ(value_in(loaded), value) << text;
    if (key().type != Type::Urls) {
        EXPECT_EQ(to_string(loaded.origins.of(key())), "--set");
    }
}

TEST_P(EachKey, HoldsItsRange) {
    if (!has_range()) return;
    const auto [least, most] = key().range;
    EXPECT_LT(least, most);
    EXPECT_EQ(value_in(load_as(std::to_string(least))), Value(least));
    EXPECT_EQ(value_in(load_as(std::to_string(most))), Value(most));
    const auto refusal = [&](const std::string& number) {
        return key().full_name() + " cannot be " + number + ": the least is " + print_value(key(), least) +
               " and the most " + print_value(key(), most);
    };
    const auto below = least == 0 ? "-1" : std::to_string(least - 1);
    EXPECT_EQ(first_error(below), refusal(below));
    EXPECT_EQ(first_error(std::to_string(most + 1)), refusal(std::to_string(most + 1)));
}

TEST_P(EachKey, RefusesEveryOtherType) {
    const auto wants = [&](const std::string& written, const std::string& described) {
        const auto message = first_error(written);
        EXPECT_TRUE(message.starts_with(key().full_name() + " wants ")) << message;
        EXPECT_TRUE(message.ends_with(", not " + described)) << message;
    };
    wants("1.5", "a number with a fraction");
    wants("1979-05-27", "a date");
    wants("{ a = 1 }", "a section");
    if (key().type != Type::Boolean) wants("true", "true");
    if (!is_array()) wants("[1]", "an array");
    if (!has_range()) wants("5", "5");
    if (key().type == Type::Boolean || key().type == Type::Integer) wants("\"5\"", "the text \"5\"");
}

TEST(Keys, HaveNamesOfTheirOwn) {
    std::set<std::string> names;
    std::set<std::string_view> options;
    for (const auto& key : keys()) {
        EXPECT_TRUE(names.insert(key.full_name()).second) << key.full_name();
        if (!key.option.empty()) {
            EXPECT_TRUE(options.insert(key.option).second) << key.option;
        }
    }
}

// Which is what `chappe config` and the documentation rely on.
TEST(Keys, StandInTheOrderOfTheSections) {
    auto section = sections().begin();
    for (const auto& key : keys()) {
        while (section != sections().end() && section->name != key.section) ++section;
        ASSERT_NE(section, sections().end()) << key.full_name();
    }
}

struct AnyField {
    template <class Field>
    operator Field() const;  // NOLINT(google-explicit-constructor): that is what it is for.
};

// How many fields an aggregate has: as many as it can be made from.
template <class Aggregate, class... Fields>
consteval std::size_t field_count() {
    if constexpr (requires { Aggregate{Fields{}..., AnyField{}}; }) {
        return field_count<Aggregate, Fields..., AnyField>();
    } else {
        return sizeof...(Fields);
    }
}

// A limit that nobody can set is one that nobody can change, and one that is not counted is one that nobody sees.
TEST(Keys, CoverEveryLimit) {
    static_assert(field_count<broker::Limits>() == broker::bound_count);
    EXPECT_EQ(std::ranges::count(keys(), "limits", &Key::section), std::ptrdiff_t{broker::bound_count});
    for (std::size_t bound = 0; bound != broker::bound_count; ++bound) {
        const auto name = to_string(static_cast<broker::Bound>(bound));
        EXPECT_NE(find_key("limits", name), nullptr) << name;
    }
}

}  // namespace

}  // namespace chappe::server
