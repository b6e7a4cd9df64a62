// Patterns among themselves: a few by name, and some thousand random pairs whose answers are found again by trying all
// topics of a small alphabet for some clients.

#include "policy/pattern.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Unusable = Pattern::Unusable;

Pattern pattern(std::string_view text) {
    auto parsed = Pattern::parse(text);
    if (!parsed) ADD_FAILURE() << text << ": " << parsed.error().text;
    return parsed ? *std::move(parsed) : Pattern();
}

bool covers(std::string_view wide, std::string_view narrow, Unusable unusable = Unusable::Nothing) {
    return pattern(wide).covers(pattern(narrow), unusable);
}

std::vector<std::string> escapes(std::string_view rule, std::string_view tenant) {
    std::vector<std::string> texts;
    for (const auto& escape : pattern(rule).escapes(pattern(tenant))) {
        texts.push_back(escape.variable + " " + escape.topics.text());
    }
    return texts;
}

TEST(Pattern, KeepsItsText) {
    for (const auto* text : {"a", "#", "+/+/#", "/", "a//b", "dev-${claim.site}-x/${username}/+", "$SYS/#"}) {
        EXPECT_EQ(pattern(text).text(), text);
    }
}

TEST(Pattern, CoversWhatItsWildcardsDo) {
    EXPECT_TRUE(covers("a/#", "a"));
    EXPECT_TRUE(covers("a/#", "a/+/c"));
    EXPECT_TRUE(covers("a/+", "a/b"));
    EXPECT_TRUE(covers("a/+", "a/"));
    EXPECT_TRUE(covers("+/#", "#"));
    EXPECT_FALSE(covers("a/+/#", "a/#"));  // Not "a".
    EXPECT_FALSE(covers("a/+", "a/#"));
    EXPECT_FALSE(covers("a/b", "a/+"));
    EXPECT_FALSE(covers("a/+", "a/b/c"));
    EXPECT_FALSE(covers("a/b/c", "a/b"));
}

TEST(Pattern, CoversNoSystemTopicsByAWildcard) {  // [MQTT-4.7.2-1]
    EXPECT_FALSE(covers("#", "$SYS/#"));
    EXPECT_FALSE(covers("+/#", "$SYS/x"));
    EXPECT_FALSE(covers("+/x", "$${username}/x"));
    EXPECT_TRUE(covers("$SYS/#", "$SYS/+"));
}

TEST(Pattern, CoversAVariableByItselfAndByAWildcard) {
    EXPECT_TRUE(covers("a/${username}", "a/${username}"));
    EXPECT_TRUE(covers("a/+", "a/${username}"));
    EXPECT_TRUE(covers("+/x", "${username}/x"));
    EXPECT_TRUE(covers("a/#", "a/${username}/x"));
    EXPECT_FALSE(covers("a/${username}", "a/+"));
    EXPECT_FALSE(covers("a/${username}", "a/bob"));
    EXPECT_FALSE(covers("a/${username}", "a/${client_id}"));
    EXPECT_FALSE(covers("a/${claim.x}", "a/${claim.y}"));
    EXPECT_FALSE(covers("a/x-${username}", "a/${username}"));
    // A rule that denies, of a client without a usable name, is about every first level.
    EXPECT_FALSE(covers("+/x", "${username}/x", Unusable::AnyLevel));
    EXPECT_TRUE(covers("a/+/x", "a/${username}/x", Unusable::AnyLevel));
}

TEST(Pattern, EscapesWhereItHasAWildcardInPlaceOfAVariable) {
    constexpr auto* tenant = "devices/${username}/#";
    EXPECT_THAT(escapes("devices/+/config", tenant), ElementsAre("${username} devices/+/config"));
    EXPECT_THAT(escapes("+/+/config", tenant), ElementsAre("${username} devices/+/config"));
    EXPECT_THAT(escapes("devices/+", tenant), ElementsAre("${username} devices/+"));
    EXPECT_THAT(escapes("devices/#", tenant), ElementsAre("${username} devices/+/#"));
    EXPECT_THAT(escapes("#", tenant), ElementsAre("${username} devices/+/#"));
    EXPECT_THAT(escapes("#", "${username}/#"), ElementsAre("${username} +/#"));
    EXPECT_THAT(escapes("#", "${claim.site}/${username}/x"),
                ElementsAre("${claim.site} +/#", "${username} ${claim.site}/+/#"));
    EXPECT_THAT(escapes("${claim.site}/+/x", "${claim.site}/${username}/x"),
                ElementsAre("${username} ${claim.site}/+/x"));
}

TEST(Pattern, EscapesNotWhereItKeepsToTheValueOrLiesElsewhere) {
    constexpr auto* tenant = "devices/${username}/#";
    EXPECT_THAT(escapes("devices/${username}/+", tenant), IsEmpty());
    EXPECT_THAT(escapes("devices/all/#", tenant), IsEmpty());  // Somebody has written that on purpose.
    EXPECT_THAT(escapes("devices", tenant), IsEmpty());
    EXPECT_THAT(escapes("other/#", tenant), IsEmpty());
    EXPECT_THAT(escapes("${client_id}/+", tenant), IsEmpty());
    EXPECT_THAT(escapes("#", "$x/${username}/#"), IsEmpty());
    EXPECT_THAT(escapes("$x/+", "+/${username}/#"), IsEmpty());
    EXPECT_THAT(escapes("#", "devices/#"), IsEmpty());
}

using Levels = std::vector<std::string>;

Levels split(std::string_view text) {
    Levels levels(1);
    for (const char letter : text) {
        if (letter == '/') {
            levels.emplace_back();
        } else {
            levels.back() += letter;
        }
    }
    return levels;
}

struct Client {
    std::string user_name;
    std::string client_id;
};

constexpr std::string_view any_level = "*";  // Also a first one with "$".

// What stands in a level for this client; nothing: no level is like it.
std::optional<std::string> level_for(std::string level, const Client& client, Unusable unusable) {
    for (const auto& [variable, value] :
         {std::pair{"${username}", client.user_name}, std::pair{"${client_id}", client.client_id}}) {
        const auto at = level.find(variable);
        if (at == level.npos) continue;
        if (value.empty() || value.contains('/')) {
            if (unusable == Unusable::AnyLevel) return std::string(any_level);
            return std::nullopt;
        }
        level.replace(at, std::string_view(variable).size(), value);
    }
    return level;
}

// Nothing: it matches nothing.
std::optional<Levels> filter_for(std::string_view text, const Client& client, Unusable unusable) {
    Levels levels;
    for (auto& level : split(text)) {
        auto made = level_for(std::move(level), client, unusable);
        if (!made) return std::nullopt;
        levels.push_back(*std::move(made));
    }
    return levels;
}

bool matches(const std::optional<Levels>& filter, const Levels& topic) {
    if (!filter) return false;
    for (std::size_t at = 0; at != filter->size(); ++at) {
        const auto& level = (*filter)[at];
        const bool is_wildcard = level == "+" || level == "#";
        if (at == 0 && is_wildcard && topic[0].starts_with('$')) return false;
        if (level == "#") return true;
        if (at == topic.size()) return false;
        if (!is_wildcard && level != any_level && level != topic[at]) return false;
    }
    return filter->size() == topic.size();
}

// Of up to three levels. "z" stands in no pattern, "$z" neither.
std::vector<Levels> all_topics() {
    const Levels letters = {"", "a", "b", "u", "c", "au", "z"};
    std::vector<Levels> topics;
    std::vector<Levels> last = {{}};
    for (int depth = 0; depth != 3; ++depth) {
        std::vector<Levels> longer;
        for (const auto& topic : last) {
            for (const auto& letter : letters) {
                longer.push_back(topic);
                longer.back().push_back(letter);
            }
            if (depth != 0) continue;
            longer.push_back({"$s"});
            longer.push_back({"$z"});
        }
        topics.insert(topics.end(), longer.begin(), longer.end());
        last = std::move(longer);
    }
    return topics;
}

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

    std::string level(bool is_first) {
        static constexpr const char* levels[] = {
            "a", "b", "", "+", "+", "${username}", "${username}", "${client_id}", "a${username}", "$s"};
        return levels[below(is_first ? 10 : 9)];
    }

    Levels filter() {
        Levels levels;
        for (auto depth = 1 + below(3); depth != 0; --depth) levels.push_back(level(levels.empty()));
        if (below(4) == 0) levels.back() = "#";
        return levels;
    }

    // Another that has something to do with it.
    Levels like(Levels levels) {
        for (std::size_t at = 0; at != levels.size(); ++at) {
            const auto die = below(8);
            if (die < 2 && levels[at] != "#") levels[at] = "+";
            if (die == 2) {
                levels.resize(at + 1);
                levels.back() = "#";
            }
            if (die == 3 && levels[at] != "#") levels[at] = level(at == 0);
        }
        if (below(8) == 0 && levels.size() > 1) levels.pop_back();
        return levels;
    }

private:
    Random random_;
};

std::string join(const Levels& levels) {
    std::string text;
    for (const auto& level : levels) text += (&level == levels.data() ? "" : "/") + level;
    return text.empty() ? "/" : text;
}

class RandomPatterns : public testing::Test {
protected:
    static constexpr std::uint64_t first_seed = 1;
    static constexpr int pairs = 1500;

    // Of every client that there may be: whose names are like nothing else, like texts in the patterns, like each
    // other, and of no use.
    [[nodiscard]] bool naively_covers(std::string_view wide, std::string_view narrow, Unusable unusable) const {
        for (const auto* user : {"u", "a", ""}) {
            for (const auto* id : {"c", "u", "a/b"}) {
                const Client client{user, id};
                const auto outer = filter_for(wide, client, unusable);
                const auto inner = filter_for(narrow, client, unusable);
                for (const auto& topic : topics) {
                    if (matches(inner, topic) && !matches(outer, topic)) return false;
                }
            }
        }
        return true;
    }

    // Whether it gets at a topic that begins as those of the tenant do, but has somebody else's name ("z") there.
    [[nodiscard]] bool naively_escapes(std::string_view rule, const Levels& tenant, std::size_t place) const {
        const Client client{"u", "c"};
        auto others = tenant;
        others.resize(place + 1);
        others.back() = "z";
        others.emplace_back("#");
        const auto inside = filter_for(join(others), client, Unusable::Nothing);
        const auto filter = filter_for(rule, client, Unusable::Nothing);
        for (const auto& topic : topics) {
            if (matches(inside, topic) && matches(filter, topic)) return true;
        }
        return false;
    }

    const std::vector<Levels> topics = all_topics();
};

TEST_F(RandomPatterns, CoverEachOtherAsTopicsSay) {
    int covering = 0;
    for (std::uint64_t seed = first_seed; seed != first_seed + pairs; ++seed) {
        Generator generator(seed);
        const auto levels = generator.filter();
        const auto narrow = join(levels);
        const auto wide = join(generator.like(levels));
        const auto unusable = generator.below(2) == 0 ? Unusable::Nothing : Unusable::AnyLevel;
        const bool expected = naively_covers(wide, narrow, unusable);
        ASSERT_EQ(covers(wide, narrow, unusable), expected)
            << "seed " << seed << ": " << wide << " and " << narrow << ", " << static_cast<int>(unusable);
        covering += expected ? 1 : 0;
    }
    EXPECT_GT(covering, pairs / 5);  // Or the answers would not tell much.
    EXPECT_LT(covering, pairs * 4 / 5);
}

TEST_F(RandomPatterns, EscapeAsTopicsSay) {
    int escaping = 0;
    for (std::uint64_t seed = first_seed; seed != first_seed + pairs; ++seed) {
        Generator generator(seed);
        const auto tenant = generator.filter();
        const auto rule = join(generator.like(tenant));
        std::size_t expected = 0;
        for (std::size_t place = 0; place != tenant.size(); ++place) {
            if (tenant[place].contains("${") && naively_escapes(rule, tenant, place)) ++expected;
        }
        ASSERT_EQ(escapes(rule, join(tenant)).size(), expected)
            << "seed " << seed << ": " << rule << " out of " << join(tenant);
        escaping += expected != 0 ? 1 : 0;
    }
    EXPECT_GT(escaping, pairs / 20);
}

// What an escape says that it gets at is what topics say.
TEST_F(RandomPatterns, EscapeToWhatTheySay) {
    const Client client{"u", "c"};
    for (std::uint64_t seed = first_seed; seed != first_seed + pairs; ++seed) {
        Generator generator(seed);
        const auto tenant = generator.filter();
        const auto rule = join(generator.like(tenant));
        for (const auto& escape : pattern(rule).escapes(pattern(join(tenant)))) {
            const auto common = filter_for(escape.topics.text(), client, Unusable::Nothing);
            const auto filter = filter_for(rule, client, Unusable::Nothing);
            const auto has_it = [&](const std::string& level) { return level.contains(escape.variable); };
            if (std::ranges::count_if(tenant, has_it) != 1) continue;
            const auto place = static_cast<std::size_t>(std::ranges::find_if(tenant, has_it) - tenant.begin());
            auto tree = tenant;
            tree.resize(place + 1);
            tree.back() = "+";
            tree.emplace_back("#");
            const auto trees = filter_for(join(tree), client, Unusable::Nothing);
            for (const auto& topic : topics) {
                ASSERT_EQ(matches(common, topic), matches(filter, topic) && matches(trees, topic))
                    << "seed " << seed << ": " << rule << " out of " << join(tenant) << " to " << escape.topics.text();
            }
        }
    }
}

}  // namespace
}  // namespace chappe::policy
