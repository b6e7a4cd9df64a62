#include "server/settings/load.h"

#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::server {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Loaded load_text(const std::string& text, const std::vector<Override>& overrides = {}) {
    const ConfigurationFile file{"c.toml", text};
    return load(&file, overrides, {.home = "/home/a", .xdg_data_home = ""});
}

std::vector<std::string> lines_of(const Loaded& loaded) {
    std::vector<std::string> lines;
    for (const auto& finding : loaded.findings) lines.push_back(to_string(finding));
    return lines;
}

// What a person wrote and all that they are told.
struct Row {
    std::string_view name;
    std::string text;
    std::vector<std::string> findings;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Mistake : public testing::TestWithParam<Row> {};

TEST_P(Mistake, IsExplained) {
    EXPECT_THAT(lines_of(load_text(GetParam().text)), testing::ElementsAreArray(GetParam().findings));
}

std::string name_of(const testing::TestParamInfo<Row>& info) { return std::string(info.param.name); }

const std::vector<Row> unknown_names = {
    {"SettingWithATypo",
     "[server]\n  lisen = []\n",
     {"c.toml:2:3: error: unknown setting server.lisen; did you mean listen?"}},
    {"SettingLikeNoOther",
     "[server]\ncolour = 1\n",
     {"c.toml:2:1: error: unknown setting server.colour; `chappe config` shows all that there are"}},
    {"SettingOfAnotherSection",
     "[server]\ninflight_max = 5\n",
     {"c.toml:2:1: error: unknown setting server.inflight_max; it belongs in section [limits]"}},
    {"TypoOfAnotherSection",
     "[server]\ninflight_mx = 5\n",
     {"c.toml:2:1: error: unknown setting server.inflight_mx; did you mean inflight_max, in section [limits]?"}},
    {"SettingBeforeTheFirstSection",
     "listen = [\"mqtt://127.0.0.1\"]\n",
     {"c.toml:1:1: error: unknown setting listen; it belongs in section [server]"}},
    {"SectionWithATypo", "[limit]\nx = 1\n", {"c.toml:1:1: error: unknown section [limit]; did you mean [limits]?"}},
    {"SectionLikeNoOther",
     "[api]\n",
     {"c.toml:1:1: error: unknown section [api]; there are [server], [listener], [tls], [web], [access], [jwt], "
      "[hook], [ldap], "
      "[log], [limits], [policy]"}},
    {"SectionInASection",
     "[server.log]\nlevel = \"debug\"\n",
     {"c.toml:1:9: error: unknown setting server.log; `chappe config` shows all that there are"}},
    {"SettingOfAListener",
     "[[listener]]\nurl = \"unix:/x\"\nshards = 2\n",
     {"c.toml:3:1: error: unknown setting listener.shards; it belongs in section [server]"}},
};
INSTANTIATE_TEST_SUITE_P(UnknownName, Mistake, testing::ValuesIn(unknown_names), name_of);

const std::vector<Row> wrong_values = {
    {"TextForBoolean",
     "[server]\nallow_anonymous = \"yes\"\n",
     {"c.toml:2: error: server.allow_anonymous wants true or false, without quotes, not the text \"yes\""}},
    {"TextForNumber",
     "[limits]\ninflight_max = \"20\"\n",
     {"c.toml:2: error: limits.inflight_max wants a whole number, without quotes, not the text \"20\""}},
    {"BooleanForSize",
     "[limits]\npacket_size_max = true\n",
     {"c.toml:2: error: limits.packet_size_max wants a size such as \"16 MiB\", or a number of bytes, not true"}},
    {"FractionForDuration",
     "[limits]\nconnect_timeout_seconds = 1.5\n",
     {"c.toml:2: error: limits.connect_timeout_seconds wants a duration such as \"5m\", or a number of seconds, not a "
      "number "
      "with a fraction"}},
    {"NumberForChoice",
     "[policy]\nwhen_full = 1\n",
     {"c.toml:2: error: policy.when_full wants \"drop_oldest\", \"drop_newest\", \"reject\" or \"end_session\", not "
      "1"}},
    {"UnknownChoice",
     "[log]\nlevel = \"verbose\"\n",
     {"c.toml:2: error: log.level cannot be \"verbose\": it is \"debug\", \"info\", \"warning\" or \"error\""}},
    {"ChoiceInCapitals",
     "[log]\nformat = \"JSON\"\n",
     {"c.toml:2: error: log.format cannot be \"JSON\": it is \"text\" or \"json\""}},
    {"SizeWithoutB",
     "[limits]\npacket_size_max = \"1 M\"\n",
     {"c.toml:2: error: limits.packet_size_max: \"1 M\" is not a size: write a number of bytes, or a whole number with "
      "kB, MB, "
      "GB, KiB, MiB or GiB, such as \"16 MiB\""}},
    {"DurationThatCanBeNever",
     "[limits]\nsession_expiry_max_seconds = \"forever\"\n",
     {"c.toml:2: error: limits.session_expiry_max_seconds: \"forever\" is not a duration: write a number of seconds, "
      "or a "
      "whole number with s, m, h, d or w, such as \"5m\", or \"never\""}},
    {"DurationThatCannotBeNever",
     "[limits]\nconnect_timeout_seconds = \"never\"\n",
     {"c.toml:2: error: limits.connect_timeout_seconds: \"never\" is not a duration: write a number of seconds, or a "
      "whole "
      "number with s, m, h, d or w, such as \"5m\""}},
    {"SizeOutOfRange",
     "[limits]\npacket_size_max = \"1 GiB\"\n",
     {"c.toml:2: error: limits.packet_size_max cannot be \"1 GiB\": the least is \"1 KiB\" and the most "
      "268435460"}},
    {"NegativeNumber",
     "[limits]\ninflight_max = -1\n",
     {"c.toml:2: error: limits.inflight_max cannot be -1: the least is 1 and the most 65535"}},
    {"EmptyPath", "[server]\ndata_directory = \"\"\n", {"c.toml:2: error: server.data_directory cannot be empty"}},
    {"LongPath",
     "[log]\nfile = \"" + std::string(4096, 'x') + "\"\n",
     {"c.toml:2: error: log.file cannot be longer than 4095 bytes"}},
    {"PathWithANullByte",
     "[log]\nfile = \"a\\u0000b\"\n",
     {"c.toml:2: error: log.file wants printable text in UTF-8, not \"a\\u0000b\""}},
    {"LongTextIsShortened",
     "[log]\nlevel = \"" + std::string(59, 'x') + "\u00e9tage\"\n",
     {"c.toml:2: error: log.level cannot be \"" + std::string(59, 'x') +
      "\"...: it is \"debug\", \"info\", \"warning\" or \"error\""}},
    {"ModeAsNumber",
     "[[listener]]\nurl = \"unix:/x\"\nmode = 660\n",
     {"c.toml:3: error: listener.mode wants an access mode as octal text, such as \"0660\", not 660"}},
    {"ModeThatIsNotOctal",
     "[[listener]]\nurl = \"unix:/x\"\nmode = \"0680\"\n",
     {"c.toml:3: error: listener.mode wants an access mode as octal text, such as \"0660\", not the text \"0680\""}},
    {"ModeWithMoreThanAccess",
     "[[listener]]\nurl = \"unix:/x\"\nmode = \"1777\"\n",
     {"c.toml:3: error: listener.mode cannot be \"1777\": the least is \"0000\" and the most \"0777\""}},
    {"OneUrlWithoutBrackets",
     "[server]\nlisten = \"mqtt://127.0.0.1\"\n",
     {"c.toml:2: error: server.listen wants an array of URLs, such as [\"mqtt://127.0.0.1:1883\"], not the text "
      "\"mqtt://127.0.0.1\""}},
    {"EachUrlHasItsLine",
     "[server]\nlisten = [\n  5,\n  \"mqtt://127.0.0.1\",\n  [],\n]\n",
     {"c.toml:3: error: server.listen wants a URL in quotes, such as \"mqtt://127.0.0.1:1883\", not 5",
      "c.toml:5: error: server.listen wants a URL in quotes, such as \"mqtt://127.0.0.1:1883\", not an array"}},
};
INSTANTIATE_TEST_SUITE_P(WrongValue, Mistake, testing::ValuesIn(wrong_values), name_of);

const std::vector<Row> wrong_sections = {
    {"SectionAsSetting",
     "limits = 5\n",
     {"c.toml:1: error: limits is a section: write [limits] on a line of its own and its settings below"}},
    {"ListenersAsSetting",
     "listener = []\n",
     {"c.toml:1: error: listener is a section: write [[listener]] on a line of its own and its settings below"}},
    {"ListenerWithOneBracket",
     "[listener]\nurl = \"unix:/x\"\n",
     {"c.toml:1: error: write [[listener]] with two brackets, because there can be several"}},
    {"ListenerWithOneBracketFirst",
     "[listener]\nurl = \"unix:/x\"\n[[listener]]\nurl = \"unix:/y\"\n",
     {"c.toml:1: error: write [[listener]] with two brackets, because there can be several"}},
    {"LimitsWithTwoBrackets",
     "[[limits]]\ninflight_max = 0\n",
     {"c.toml:1: error: write [limits] with one bracket, because there is only one",
      "c.toml:2: error: limits.inflight_max cannot be 0: the least is 1 and the most 65535"}},
    {"ListenerWithoutUrl",
     "[[listener]]\nallow_anonymous = true\n",
     {"c.toml:1: error: this listener has no address: write url = \"mqtt://HOST:PORT\""}},
};
INSTANTIATE_TEST_SUITE_P(WrongSection, Mistake, testing::ValuesIn(wrong_sections), name_of);

const std::vector<Row> duplicates = {
    {"Setting",
     "[log]\nlevel = \"info\"\n\nlevel = \"debug\"\n",
     {"c.toml:4: error: level is set already, on line 2: remove one of the two"}},
    {"SettingOverSeveralLines",
     "[server]\nlisten = [\"unix:/x\"]\nlisten = [\n  \"unix:/y\",\n]\n",
     {"c.toml:3: error: listen is set already, on line 2: remove one of the two"}},
    {"SettingWithDots",
     "log.level = \"info\"\nlog.level = \"debug\"\n",
     {"c.toml:2: error: log.level is set already: remove one of the two"}},
    {"Section",
     "[log]\nlevel = \"info\"\n[limits]\n[log]\ncolour = 1\n",
     {"c.toml:4: error: section [log] is there already, on line 1: put its settings together",
      "c.toml:5:1: error: unknown setting log.colour; `chappe config` shows all that there are"}},
    {"SettingAndSection",
     "[log]\nlevel = \"info\"\nlevel.x = \"debug\"\n",
     {"c.toml:3: error: this is not TOML: cannot redefine existing string as dotted key-value pair at column 1; a name "
      "is "
      "written once"}},
    {"InsideBraces",
     "log = { level = \"info\", level = \"debug\" }\n[limits]\nx = 1\n",
     {"c.toml:1: error: this is not TOML: cannot redefine existing string 'level' at column 33; a name is written once",
      "c.toml:3:1: error: unknown setting limits.x; `chappe config` shows all that there are"}},
};
INSTANTIATE_TEST_SUITE_P(Duplicate, Mistake, testing::ValuesIn(duplicates), name_of);

const std::vector<Row> not_toml = {
    {"TextWithoutQuotes",
     "[log]\nlevel = debug # for now\n",
     {"c.toml:2: error: this is not TOML: could not determine value type at column 9; put it in quotes: level = "
      "\"debug\""}},
    {"SizeWithoutQuotes",
     "[limits]\npacket_size_max = 16 MiB\n",
     {"c.toml:2: error: this is not TOML: expected a comment or whitespace, saw 'M' at column 22; put it in quotes: "
      "packet_size_max = \"16 MiB\""}},
    {"ColonForEquals",
     "[log]\nlevel: \"debug\"\n",
     {"c.toml:2: error: this is not TOML: expected '=', saw ':' at column 6; write: name = value"}},
    {"NameAlone",
     "[log]\nlevel\n",
     {"c.toml:2: error: this is not TOML: expected '=', saw '\\n' at column 6; write: name = value"}},
    {"NoValue",
     "[log]\nlevel =\n",
     {"c.toml:2: error: this is not TOML: expected value, saw '\\n' at column 8; write a value after the ="}},
    {"BooleanInCapitals",
     "[server]\nallow_anonymous = True\n",
     {"c.toml:2: error: this is not TOML: expected 'true', saw 'T' at column 19; write true or false, in lower case"}},
    {"Yes",
     "[server]\nallow_anonymous = yes\n",
     {"c.toml:2: error: this is not TOML: could not determine value type at column 19; write true or false, in lower "
      "case"}},
    {"NumberNotFinished",
     "[limits]\ninflight_max = in\n",
     {"c.toml:2: error: this is not TOML: expected 'inf', saw 'in\\n' at column 18; put it in quotes: inflight_max = "
      "\"in\""}},
    {"QuoteNotClosed",
     "[log]\nlevel = \"debug\nformat = \"json\"\n",
     {"c.toml:2: error: this is not TOML: unescaped control characters other than TAB (U+0009) are explicitly "
      "prohibited at "
      "column 15; close the text with the same quote that opens it"}},
    {"Backslash",
     "[log]\nfile = \"C:\\data\"\n",
     {"c.toml:2: error: this is not TOML: unknown escape sequence '\\d' at column 12; in \"...\" a backslash is "
      "written twice, "
      "and in '...' it stands for itself"}},
    {"NoComma",
     "[server]\nlisten = [\"unix:/x\" \"unix:/y\"]\n",
     {"c.toml:2: error: this is not TOML: expected comma or closing ']', saw '\"' at column 21; put a comma between "
      "two values, "
      "and ] after the last"}},
    {"ArrayNotClosed",
     "[server]\nlisten = [\"unix:/x\"\n\n[log]\nlevel = \"debug\"\n",
     {"c.toml:4: error: this is not TOML: expected comma or closing ']', saw '[' at column 1; is an array or a text "
      "above this "
      "line not closed?"}},
    {"BracketNotClosed",
     "[log\nlevel = \"debug\"\n[limits]\nx = 1\n",
     {"c.toml:1: error: this is not TOML: expected ']', saw '\\n' at column 5; a section is written [name] on a line "
      "of its own",
      "c.toml:4:1: error: unknown setting limits.x; `chappe config` shows all that there are"}},
    {"Json",
     "{\n",
     {"c.toml:1: error: this is not TOML: expected keys, tables, whitespace or comments, saw '{' at column 1; write: "
      "name = "
      "value"}},
    {"NameWithAccent",
     "[log]\nnivé = \"debug\"\n",
     {"c.toml:2: error: this is not TOML: expected '=', saw '\u00e9' at column 4; a name has letters from a to z, "
      "digits, _ and -"}},
    {"SectionWithAccent",
     "[\u00e9tat]\nx = 1\n",
     {"c.toml:1: error: this is not TOML: expected bare key starting character or string delimiter, saw '\u00e9' at "
      "column "
      "2; a section is written [name] on a line of its own"}},
    {"TypographicQuotes",
     "[log]\nlevel = \u201cdebug\u201d\n",
     {"c.toml:2: error: this is not TOML: could not determine value type at column 9; write straight quotes: \""}},
    {"NotUtf8",
     "[log]\nfile = \"\xff\"\n",
     {"c.toml:2: error: this is not TOML: Encountered invalid utf-8 sequence at column 8; save the file as UTF-8"}},
};
INSTANTIATE_TEST_SUITE_P(NotToml, Mistake, testing::ValuesIn(not_toml), name_of);

TEST(Load, ReportsAllMistakesInTheOrderOfTheLines) {
    EXPECT_THAT(lines_of(load_text("[server]\n"
                                   "lisen = []\n"
                                   "shards = 1000\n"
                                   "[log]\n"
                                   "level = debug\n"
                                   "[limits]\n"
                                   "inflight_max = 0\n"
                                   "inflight_max = 1\n")),
                ElementsAre(testing::HasSubstr("c.toml:2:1: error: unknown setting"),
                            testing::HasSubstr("c.toml:3: error: "), testing::HasSubstr("c.toml:5: error: "),
                            testing::HasSubstr("c.toml:7: error: "), testing::HasSubstr("c.toml:8: error: ")));
}

TEST(Load, KeepsTheDefaultsWithoutAFile) {
    const auto loaded = load(nullptr, {}, {.home = "/home/a", .xdg_data_home = ""});
    EXPECT_THAT(lines_of(loaded), IsEmpty());
    EXPECT_FALSE(loaded.has_errors());
    EXPECT_EQ(loaded.settings.data_directory, "/home/a/.local/share/chappe");
    EXPECT_EQ(loaded.settings.listeners, default_settings({}).listeners);
    EXPECT_EQ(loaded.origins.listeners, std::vector<Origin>(2));
    for (const auto& key : keys()) EXPECT_EQ(to_string(loaded.origins.of(key)), "default");
}

TEST(Load, TakesAnEmptyFile) {
    const auto loaded = load_text("");
    EXPECT_THAT(lines_of(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings_in_file, 0u);
}

TEST(Load, ReadsWhatOtherSystemsWrite) {
    const auto loaded = load_text("\xEF\xBB\xBF# Written on Windows\r\n[log]\r\nlevel = \"debug\"\r\n");
    EXPECT_THAT(lines_of(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.log.level, LogLevel::Debug);
}

TEST(Load, ReadsUnits) {
    const auto& limits = load_text(
                             "[limits]\n"
                             "packet_size_max = \"1MiB\"\n"
                             "connect_packet_size_max = 65_536\n"
                             "session_expiry_max_seconds = \"90d\"\n"
                             "will_delay_max_seconds = \"never\"\n")
                             .settings.limits;
    EXPECT_EQ(limits.packet_size_max, 1024u * 1024);
    EXPECT_EQ(limits.connect_packet_size_max, 65'536u);
    EXPECT_EQ(limits.session_expiry_max_seconds, 90u * 24 * 3600);
    EXPECT_EQ(limits.will_delay_max_seconds, mqtt::session_never_expires);
}

TEST(Load, CountsTheSettingsOfTheFile) {
    EXPECT_EQ(
        load_text("[log]\nlevel = \"debug\"\nformat = \"json\"\n[[listener]]\nurl = \"unix:/x\"\nmode = \"0600\"\n")
            .settings_in_file,
        4u);
}

TEST(Load, PutsTheCommandLineBeforeTheFileBeforeTheDefault) {
    const auto loaded =
        load_text("[log]\nlevel = \"debug\"\nformat = \"json\"\n", {{"--log-level", "log.level", {"error"}}});
    EXPECT_EQ(loaded.settings.log.level, LogLevel::Error);
    EXPECT_EQ(to_string(loaded.origins.of(*find_key("log.level"))), "--log-level");
    EXPECT_EQ(loaded.settings.log.format, LogFormat::Json);
    EXPECT_EQ(to_string(loaded.origins.of(*find_key("log.format"))), "c.toml:3");
    EXPECT_EQ(loaded.settings.log.file, "");
    EXPECT_EQ(to_string(loaded.origins.of(*find_key("log.file"))), "default");
}

TEST(Load, TakesTheLastOfTheCommandLine) {
    const auto loaded = load(nullptr, {{"--set", "log.level", {"error"}}, {"--log-level", "log.level", {"debug"}}}, {});
    EXPECT_EQ(loaded.settings.log.level, LogLevel::Debug);
}

std::vector<std::string> urls_with_origins(const Loaded& loaded) {
    std::vector<std::string> urls;
    for (std::size_t i = 0; i < loaded.settings.listeners.size(); ++i) {
        urls.push_back(loaded.settings.listeners[i].url.text() + " from " + to_string(loaded.origins.listeners[i]));
    }
    return urls;
}

TEST(Load, ReplacesTheDefaultListeners) {
    const auto loaded = load_text("[server]\nlisten = [\n  \"mqtt://127.0.0.1:2000\",\n  \"unix:/x\"\n]\n");
    EXPECT_THAT(urls_with_origins(loaded), ElementsAre("mqtt://127.0.0.1:2000 from c.toml:3", "unix:/x from c.toml:4"));
    EXPECT_FALSE(loaded.settings.listeners[0].may_be_absent);
}

TEST(Load, JoinsBothKindsOfListeners) {
    const auto loaded = load_text(
        "[server]\nlisten = [\"unix:/x\"]\n"
        "[[listener]]\nconnections_max = 5\nurl = \"unix:/y\"\nmode = \"0600\"\n"
        "[[listener]]\nurl = \"unix:/z\"\nallow_anonymous = true\n");
    EXPECT_THAT(lines_of(loaded), IsEmpty());
    const auto& listeners = loaded.settings.listeners;
    ASSERT_EQ(listeners.size(), 3u);
    EXPECT_EQ(listeners[0].mode, 0660u);
    EXPECT_EQ(listeners[1].connections_max, 5u);
    EXPECT_EQ(listeners[1].mode, 0600u);
    EXPECT_EQ(listeners[1].allow_anonymous, std::nullopt);
    EXPECT_EQ(listeners[2].allow_anonymous, true);
    EXPECT_THAT(urls_with_origins(loaded),
                ElementsAre("unix:/x from c.toml:2", "unix:/y from c.toml:5", "unix:/z from c.toml:8"));
}

TEST(Load, ReplacesTheListenersOfTheFile) {
    const auto loaded = load_text("[server]\nlisten = [\"unix:/x\"]\n[[listener]]\nurl = \"unix:/y\"\n",
                                  {{"--listen", "server.listen", {"mqtt://127.0.0.1:2000", "mqtt://127.0.0.1:2001"}}});
    EXPECT_THAT(urls_with_origins(loaded),
                ElementsAre("mqtt://127.0.0.1:2000 from --listen", "mqtt://127.0.0.1:2001 from --listen"));
}

TEST(Load, TakesSeveralUrlsFromOneOverride) {
    const auto loaded = load(nullptr, {{"--set", "server.listen", {"unix:/x,unix:/y"}}}, {});
    EXPECT_THAT(urls_with_origins(loaded), ElementsAre("unix:/x from --set", "unix:/y from --set"));
}

TEST(Load, TakesArraysFromTheCommandLine) {
    const auto roles = [](const std::vector<std::string>& values) {
        return load(nullptr, {{"--set", "access.certificate_roles", values}}, {}).settings.access.certificate_roles;
    };
    EXPECT_THAT(roles({"a,b"}), ElementsAre("a", "b"));
    EXPECT_THAT(roles({"[]"}), IsEmpty());
    EXPECT_THAT(roles({"[ ]"}), IsEmpty());
    EXPECT_THAT(roles({""}), IsEmpty());
    EXPECT_THAT(roles({R"(["a", "b,c"])"}), ElementsAre("a", "b,c"));
    EXPECT_THAT(roles({"['a']", "b"}), ElementsAre("a", "b"));
    const auto loaded = load(nullptr, {{"--set", "server.listen", {R"(["unix:/x", "unix:/y"])"}}}, {});
    EXPECT_THAT(urls_with_origins(loaded), ElementsAre("unix:/x from --set", "unix:/y from --set"));
}

TEST(Load, SaysWhichArrayOfTheCommandLineIsNone) {
    const auto lines = [](const std::string& value) {
        return lines_of(load(nullptr, {{"--set", "access.certificate_roles", {value}}}, {}));
    };
    EXPECT_THAT(
        lines("[device]"),
        ElementsAre("--set: error: access.certificate_roles wants an array of texts, such as [\"device\"], or its "
                    "items without brackets and quotes, not the text \"[device]\""));
    EXPECT_THAT(lines("[1]"), ElementsAre("--set: error: access.certificate_roles wants a text in quotes, not 1"));
    EXPECT_THAT(lines("[\"a\"]\n[log]\nx = [\"b\"]"), testing::SizeIs(1));
}

std::vector<std::string> lines_of_override(const std::string& name, const std::vector<std::string>& values) {
    return lines_of(load(nullptr, {{"--set", name, values}}, {}));
}

TEST(Load, ExplainsMistakesOfTheCommandLine) {
    EXPECT_THAT(lines_of_override("log.levle", {"debug"}),
                ElementsAre("--set: error: unknown setting log.levle; did you mean level?"));
    EXPECT_THAT(lines_of_override("lgo.level", {"debug"}),
                ElementsAre("--set: error: unknown setting lgo.level; it belongs in section [log]"));
    EXPECT_THAT(
        lines_of_override("level", {"debug"}),
        ElementsAre("--set: error: \"level\" is not a setting: write section.name=value, such as log.level=debug"));
    EXPECT_THAT(lines_of_override("log.level", {}),
                ElementsAre("--set: error: log.level has no value: write log.level=VALUE"));
    EXPECT_THAT(lines_of_override("listener.mode", {"0600"}),
                ElementsAre("--set: error: listener.mode is set in a file only; --listen adds plain listeners"));
    EXPECT_THAT(
        lines_of_override("limits.inflight_max", {"many"}),
        ElementsAre("--set: error: limits.inflight_max wants a whole number, without quotes, not the text \"many\""));
    EXPECT_THAT(lines_of_override("limits.inflight_max", {"0"}),
                ElementsAre("--set: error: limits.inflight_max cannot be 0: the least is 1 and the most 65535"));
    EXPECT_THAT(lines_of_override("server.data_directory", {"\xff"}),
                ElementsAre("--set: error: server.data_directory wants printable text in UTF-8, not \"\xff\""));
}

TEST(ReadConfiguration, SaysWhyNot) {
    EXPECT_EQ(read_configuration("/nowhere/chappe.toml").error(), "No such file or directory");
    EXPECT_EQ(read_configuration("/").error(), "Is a directory");
    EXPECT_EQ(read_configuration("/dev/zero").error(), "larger than 1 MiB, which no such file is");
    EXPECT_EQ(read_configuration("/dev/null").value().text, "");
}

}  // namespace

}  // namespace chappe::server
