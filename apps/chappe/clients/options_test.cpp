#include "apps/chappe/clients/options.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "apps/chappe/clients/payload_options.h"

namespace chappe::app {
namespace {

const Surroundings surroundings{.password = std::nullopt, .process_id = "4242", .random = 0x04030201};

// As main() has it: the options belong to a subcommand.
Checked<ClientSetup> parse(std::vector<std::string> words, const Surroundings& around = surroundings) {
    CLI::App app;
    app.require_subcommand(1);
    auto* command = app.add_subcommand("pub");
    ClientArguments arguments;
    add_topic_option(*command, arguments, "");
    add_qos_option(*command, arguments);
    add_inflight_option(*command, arguments);
    add_client_options(*command, arguments);
    words.insert(words.begin(), "pub");
    std::ranges::reverse(words);  // CLI11 takes them from the end.
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return std::unexpected(std::string("CLI11: ") + error.what());
    }
    return check_arguments(arguments, "pub", around);
}

ClientSetup parsed(std::vector<std::string> words, const Surroundings& around = surroundings) {
    auto setup = parse(std::move(words), around);
    EXPECT_TRUE(setup.has_value()) << setup.error();
    return setup.value_or(ClientSetup{});
}

TEST(ClientOptions, Defaults) {
    const auto setup = parsed({});
    EXPECT_EQ(setup.server.text(), "mqtt://localhost:1883");
    EXPECT_EQ(setup.options.version, mqtt::ProtocolVersion::V5);
    EXPECT_EQ(setup.options.client_id, "");
    EXPECT_TRUE(setup.options.clean_start);
    EXPECT_EQ(setup.options.session_expiry_interval_seconds, 0);
    EXPECT_EQ(setup.options.keep_alive_seconds, 60);
    EXPECT_FALSE(setup.options.will.has_value());
    EXPECT_TRUE(setup.reconnect.enabled);
    EXPECT_FALSE(setup.time_limit.has_value());
    EXPECT_EQ(setup.verbosity, Verbosity::Normal);
}

TEST(ClientOptions, ShortNamesAreMosquittos) {
    const auto setup =
        parsed({"-h", "::1", "-p", "1884", "-u", "ada", "-P",    "-secret", "-i",     "me", "-c",  "-x", "60", "-k",
                "5",  "-q",  "2",  "-t",   "a",  "-t",  "[b,c]", "-V",      "mqttv5", "-W", "1.5", "-M", "7",  "-d"});
    EXPECT_EQ(setup.server.text(), "mqtt://[::1]:1884");
    EXPECT_EQ(setup.options.user_name, "ada");
    EXPECT_EQ(setup.options.password, "-secret");
    EXPECT_EQ(setup.options.client_id, "me");
    EXPECT_FALSE(setup.options.clean_start);
    EXPECT_EQ(setup.options.session_expiry_interval_seconds, 60);
    EXPECT_EQ(setup.options.keep_alive_seconds, 5);
    EXPECT_EQ(setup.qos, mqtt::QoS::ExactlyOnce);
    EXPECT_EQ(setup.topics, (std::vector<std::string>{"a", "[b,c]"}));
    EXPECT_EQ(setup.time_limit, 1500ms);
    EXPECT_EQ(setup.options.inflight_max, 7);
    EXPECT_EQ(setup.verbosity, Verbosity::Debug);
}

TEST(ClientOptions, TlsIsForWhoeverSaysWhomToTrust) {
    const auto file = parsed({"-h", "b", "--cafile", "ca.pem", "--cert", "c.pem", "--key", "c.key"});
    EXPECT_EQ(file.server.text(), "mqtts://b:8883");
    EXPECT_EQ(file.tls.ca, "ca.pem");
    EXPECT_EQ(file.tls.certificate, (tls::CertificateFiles{"c.pem", "c.key"}));
    EXPECT_TRUE(file.tls.verify_name);
    const auto url = parsed({"-L", "mqtts://b:1", "--insecure", "--tls-version", "1.3", "--tls-alpn", "mqtt"});
    EXPECT_EQ(url.server.text(), "mqtts://b:1");
    EXPECT_FALSE(url.tls.verify_name);
    EXPECT_EQ(url.tls.version_least, tls::Version::Tls13);
    EXPECT_EQ(url.tls.application_protocols, std::vector<std::string>{"mqtt"});
    EXPECT_EQ(parsed({"--tls-use-os-certs"}).server.text(), "mqtts://localhost:8883");
}

TEST(ClientOptions, AUrlSaysItAllAtOnce) {
    const auto setup = parsed({"-L", "mqtt://ada:secret@host:1884/a/b", "-t", "c"});
    EXPECT_EQ(setup.server.text(), "mqtt://host:1884");
    EXPECT_EQ(setup.options.user_name, "ada");
    EXPECT_EQ(setup.options.password, "secret");
    EXPECT_EQ(setup.topics, (std::vector<std::string>{"a/b", "c"}));
    EXPECT_EQ(parsed({"--unix", "/run/x.sock"}).server.text(), "unix:/run/x.sock");
}

TEST(ClientOptions, SessionsOutliveTheConnectionWithC) {
    EXPECT_EQ(parsed({"-c", "-i", "me"}).options.session_expiry_interval_seconds, mqtt::session_never_expires);
    EXPECT_EQ(parsed({"-x", "never"}).options.session_expiry_interval_seconds, mqtt::session_never_expires);
    EXPECT_EQ(parsed({"-x", "-1"}).options.session_expiry_interval_seconds, mqtt::session_never_expires);
    EXPECT_EQ(parsed({"-D", "connect", "session-expiry-interval", "9"}).options.session_expiry_interval_seconds, 9);
}

TEST(ClientOptions, OldVersionsHaveAnId) {
    EXPECT_EQ(parsed({"-V", "311"}).options.client_id, "chappe-pub-01020304");
    EXPECT_EQ(parsed({"-V", "3.1"}).options.version, mqtt::ProtocolVersion::V31);
    EXPECT_EQ(parsed({"-I", "gate-"}).options.client_id, "gate-4242");
}

TEST(ClientOptions, PropertiesMayRepeat) {
    const auto setup = parsed({"-D", "publish", "user-property", "k", "-1", "-t", "a", "-D", "publish", "content-type",
                               "x", "-D", "connect", "user-property", "version", "pub"});
    EXPECT_EQ(setup.properties.publish.user_properties, (client::OwnedUserProperties{{"k", "-1"}}));
    EXPECT_EQ(setup.properties.publish.content_type, "x");
    EXPECT_EQ(setup.options.user_properties, (client::OwnedUserProperties{{"version", "pub"}}));
    EXPECT_EQ(setup.topics, std::vector<std::string>{"a"});
}

TEST(ClientOptions, AWillHasItsParts) {
    const auto setup = parsed({"--will-topic", "gone", "--will-payload", "bye", "--will-qos", "1", "--will-retain",
                               "-D", "will", "will-delay-interval", "5"});
    ASSERT_TRUE(setup.options.will.has_value());
    EXPECT_EQ(setup.options.will->topic, "gone");
    EXPECT_EQ(setup.options.will->payload, "bye");
    EXPECT_EQ(setup.options.will->qos, mqtt::QoS::AtLeastOnce);
    EXPECT_TRUE(setup.options.will->retain);
    EXPECT_EQ(setup.options.will->delay_interval_seconds, 5);
}

class PasswordTest : public testing::Test {
protected:
    PasswordTest() : path_(testing::TempDir() + "chappe_password_test") {
        std::ofstream(path_) << "from file\r\nmore\n";
    }
    ~PasswordTest() override { std::filesystem::remove(path_); }

    std::string path_;
};

TEST_F(PasswordTest, ComesFromTheFirstPlaceThatHasOne) {
    const Surroundings with_password{.password = "from environment", .process_id = "1", .random = 1};
    EXPECT_EQ(parsed({"-u", "a", "-P", "typed"}, with_password).options.password, "typed");
    EXPECT_EQ(parsed({"-u", "a", "--password-file", path_}, with_password).options.password, "from file");
    EXPECT_EQ(parsed({"-L", "mqtt://a:from%20url@host"}, with_password).options.password, "from url");
    EXPECT_EQ(parsed({"-u", "a"}, with_password).options.password, "from environment");
    EXPECT_EQ(parsed({}, with_password).options.password, std::nullopt);  // It goes with a user.
}

TEST(ClientOptions, MistakesAreExplained) {
    struct Row {
        std::vector<std::string> words;
        const char* expected;
    };
    const Row rows[] = {
        {{"-p", "abc"}, "--port: \"abc\" is not a whole number from 1 to 65535"},
        {{"-p", "0"}, "--port"},
        {{"-h", "a b"}, "not a host name"},
        {{"-h", "a", "-L", "mqtt://b"}, "give the broker once"},
        {{"-L", "https://b"}, "this command connects to mqtt://"},
        {{"-L", "mqtt://b", "--cafile", "x"}, "options of TLS need a broker that speaks it"},
        {{"-h", "b", "--insecure"}, "options of TLS need a broker that speaks it"},
        {{"-L", "mqtts://b", "--cert", "x"}, "--cert and --key belong together"},
        {{"--cafile", "x", "--tls-use-os-certs"}, "give one of them"},
        {{"--cafile", "x", "--tls-version", "1.1"}, "there are 1.2 and 1.3"},
        {{"-q", "3"}, "--qos: \"3\" is not a QoS"},
        {{"-V", "4"}, "there are 5, 311 and 31"},
        {{"-c"}, "-c needs a client id"},
        {{"-i", "a", "-I", "b"}, "give one of them"},
        {{"-k", "70000"}, "--keepalive"},
        {{"-x", "soon"}, "--session-expiry-interval"},
        {{"-V", "311", "-x", "1"}, "-x needs MQTT 5"},
        {{"-V", "311", "-D", "publish", "content-type", "x"}, "-D needs MQTT 5"},
        {{"-D", "publish", "content", "x"}, "is not a property of publish"},
        {{"-D", "disconnect", "session-expiry-interval", "5"}, "from the start"},
        {{"-V", "311", "-P", "x"}, "needs a user name"},
        {{"-P", "x", "--password-file", "y"}, "give one of them"},
        {{"-u", "a", "--password-file", "/nonexistent"}, "cannot read /nonexistent: No such file or directory"},
        {{"--will-payload", "x"}, "a will needs --will-topic"},
        {{"--will-topic", "a/#"}, "not a topic to publish to"},
        {{"--will-topic", "a", "--will-qos", "9"}, "--will-qos"},
        {{"-W", "soon"}, "-W: \"soon\" is not a number of seconds"},
        {{"-M", "0"}, "--max-inflight"},
        {{"--nonsense"}, "CLI11"},
        {{"stray"}, "CLI11"},
    };
    for (const auto& row : rows) {
        const auto setup = parse(row.words);
        ASSERT_FALSE(setup.has_value()) << row.expected;
        EXPECT_NE(setup.error().find(row.expected), std::string::npos) << setup.error();
    }
}

TEST(PayloadOptions, ExactlyOneIsGiven) {
    EXPECT_EQ(read_payload({.text = ""}, "x").value(), "");
    EXPECT_EQ(read_payload({.empty = true}, "x").value(), "");
    EXPECT_EQ(read_payload({}, "-m or -f").error(), "say what to publish, with -m or -f");
    EXPECT_EQ(read_payload({.text = "a", .empty = true}, "-m or -f").error(), "give only one of -m or -f");
    EXPECT_FALSE(read_payload({.file = "/nonexistent"}, "x").has_value());
}

}  // namespace
}  // namespace chappe::app
