// chappe explain: what a client may do, and by which rule.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/chappe/command.h"
#include "apps/chappe/explanation.h"
#include "apps/chappe/replay.h"
#include "apps/chappe/settings_options.h"
#include "mqtt/topic.h"
#include "policy/rule.h"
#include "server/policy_file.h"

namespace chappe::app {
namespace {

using policy::Action;

constexpr auto explain_footer = R"(Examples:
  chappe explain --user bob publish sensors/kitchen/temperature
  chappe explain --user bob --client phone --qos 2 subscribe 'sensors/#'
  chappe explain --config chappe.toml receive alarms/fire
  chappe explain --user pump-7 --role device --claim site=north publish north/x
  chappe explain --replay decisions.log --set access.policy=new.toml

The accounts are those of the data directory, whether a broker uses it at the moment or not.

--replay makes decisions again that a broker has recorded (access.decision_log), and prints those
that are others now.

Exit codes: 0 it is allowed, or all decisions are the same; 1 it is not, or some are others; 2 the question or the policy cannot be understood.)";

struct ExplainOptions {
    SettingsOptions settings;
    std::string user;
    std::string client = "client";
    std::vector<std::string> roles;
    std::string certificate_name;
    std::vector<std::string> claims;
    std::string action;
    std::string topic;
    unsigned qos = 0;
    bool retain = false;
    bool json = false;
    std::string replay;
};

int cannot_explain(const std::string& why) {
    std::fprintf(stderr, "chappe explain: %s\n", why.c_str());
    return exit_usage;
}

std::expected<std::shared_ptr<const access::Directory>, std::string> directory_of(const SettingsOptions& options) {
    const auto loaded = TRY(load_settings(options));
    for (const auto& finding : loaded.findings) {
        if (finding.severity == server::Severity::Error) return std::unexpected(to_string(finding));
    }
    auto snapshot = server::read_accounts(loaded.settings.data_directory);
    if (!snapshot) return std::unexpected(snapshot.error().text);
    auto made = server::make_directory(*std::move(snapshot), server::read_policy_of(loaded.settings.access));
    if (!made.directory) return std::unexpected(server::lines_of(made.findings));
    return std::move(made.directory);
}

std::expected<std::vector<std::pair<std::string, std::string>>, std::string> claims_of(
    const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> claims;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == text.npos) return std::unexpected("--claim wants NAME=VALUE, not \"" + text + "\"");
        claims.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return claims;
}

Action action_named(std::string_view name) {
    return name == "publish" ? Action::Publish : name == "subscribe" ? Action::Subscribe : Action::Receive;
}

int replay_decisions(const ExplainOptions& options) {
    const auto directory = directory_of(options.settings);
    if (!directory) return cannot_explain(directory.error());
    const auto replayed = replay(options.replay, **directory, options.json);
    if (!replayed) return cannot_explain(replayed.error());
    return *replayed == 0 ? exit_success : exit_failure;
}

int explain_access(const ExplainOptions& options) {
    if (!options.replay.empty()) return replay_decisions(options);
    if (options.action.empty() || options.topic.empty()) return cannot_explain("ACTION and TOPIC are needed");
    const auto action = action_named(options.action);
    const bool is_topic = action == Action::Subscribe ? mqtt::is_valid_topic_filter(options.topic)
                                                      : mqtt::is_valid_topic_name(options.topic);
    if (!is_topic)
        return cannot_explain("\"" + options.topic + "\" is not a topic" +
                              (action == Action::Subscribe ? " filter" : ""));
    const auto claims = claims_of(options.claims);
    if (!claims) return cannot_explain(claims.error());
    const auto directory = directory_of(options.settings);
    if (!directory) return cannot_explain(directory.error());
    if (options.user.empty() && (*directory)->anonymous_is_open()) {
        std::puts(options.json ? "{\"allowed\": true, \"reason\": \"nothing is said of anonymous clients\"}"
                               : "allowed: neither a policy file nor a role named anonymous says what clients without "
                                 "a name may do");
        return exit_success;
    }
    auto topic = std::string_view(options.topic);
    bool shared = false;
    if (const auto filter = mqtt::TopicFilter::parse(topic);
        action == Action::Subscribe && filter && filter->shared()) {
        topic = topic.substr(topic.find('/', topic.find('/') + 1) + 1);
        shared = true;
    }
    const policy::Subject subject{.client_id = options.client,
                                  .user_name = options.user,
                                  .certificate_name = options.certificate_name,
                                  .claims = *claims};
    const auto explanation = (*directory)
                                 ->policy()
                                 .explain(subject, options.roles,
                                          {.action = action,
                                           .topic = topic,
                                           .qos = static_cast<std::uint8_t>(options.qos),
                                           .retain = options.retain,
                                           .shared = shared});
    std::fputs((options.json ? json_of(explanation) : text_of(explanation, action)).c_str(), stdout);
    return explanation.decision.allowed ? exit_success : exit_failure;
}

}  // namespace

Run define_explain(CLI::App& command) {
    const auto options = std::make_shared<ExplainOptions>();
    auto* action = command.add_option("ACTION", options->action, "publish, subscribe or receive")
                       ->check(CLI::IsMember({"publish", "subscribe", "receive"}));
    command.add_option("TOPIC", options->topic, "A topic; for subscribe a topic filter");
    command.add_option("--user", options->user, "The user name; without, the client is anonymous");
    command.add_option("--client", options->client, "The client identifier");
    command.add_option("--role", options->roles, "A role it has besides those of its user name, as by a certificate");
    command.add_option("--certificate-name", options->certificate_name, "What ${cert.cn} stands for");
    command.add_option("--claim", options->claims, "NAME=VALUE: what ${claim.NAME} stands for");
    command.add_option("--qos", options->qos, "The QoS of the message or subscription")->check(CLI::Range(0, 2));
    command.add_flag("--retain", options->retain, "The message is to be retained");
    command.add_flag("--json", options->json, "Print one JSON object");
    command.add_option("--replay", options->replay, "Make the decisions of this file again, a decisions.log")
        ->type_name("FILE")
        ->excludes(action);
    add_settings_options(command, options->settings);
    command.footer(explain_footer);
    return [options] { return explain_access(*options); };
}

}  // namespace chappe::app
