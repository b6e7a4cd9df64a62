// chappe drops, refusals, redirect and disconnect: what the operator of a running broker asks of it.

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/chappe/command.h"
#include "apps/chappe/operator/control_client.h"

namespace chappe::app {
namespace {

using Json = nlohmann::json;

// What a command makes of an answer.
struct Report {
    std::string text;       // In place of the JSON.
    std::string complaint;  // Also where JSON is wanted. Empty: all is well.
};

// Asks and prints, the answer as it is or what `report` makes of it. Returns the exit code.
template <class MakeReport>
int ask_and_print(const ControlOptions& options, const char* name, const Json& request, bool json, MakeReport report) {
    const auto text = ask(options, name, request.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!text) {
        std::fprintf(stderr, "chappe %s: %s\n", name, text.error().c_str());
        return exit_failure;
    }
    const auto answer = Json::parse(*text, nullptr, false);
    if (!answer.is_object() || answer.contains("error")) {
        const auto why = answer.is_object() ? answer["error"].get<std::string>() : "an answer that is not JSON";
        std::fprintf(stderr, "chappe %s: %s\n", name, why.c_str());
        return exit_failure;
    }
    const Report made = report(answer);
    std::fputs(json ? (*text + '\n').c_str() : made.text.c_str(), stdout);
    if (made.complaint.empty()) return exit_success;
    std::fprintf(stderr, "chappe %s: %s\n", name, made.complaint.c_str());
    return exit_failure;
}

void set_if_given(Json& request, const char* name, const std::string& value) {
    if (!value.empty()) request[name] = value;
}

// Where there are more than one answer holds.
std::string left_out_text(const Json& answer) {
    const auto left_out = answer.value("left_out", std::size_t{0});
    if (left_out == 0) return {};
    return fmt::format("{} older ones do not fit here; ask for some of them\n", left_out);
}

struct DropsOptions {
    ControlOptions control;
    std::string client;
    std::string topic;
    std::string reason;
    std::optional<std::size_t> count;
    bool json = false;
};

Report report_drops(const Json& answer) {
    Report report{.text = left_out_text(answer), .complaint = {}};
    for (const auto& drop : answer["drops"]) {
        report.text += fmt::format("{} {:<20} client={} topic={}\n", drop["time"].get<std::string>(),
                                   drop["reason"].get<std::string>(), drop["client"].dump(), drop["topic"].dump());
    }
    return report;
}

struct RefusalsOptions {
    ControlOptions control;
    std::string what;
    std::string client;
    std::string user;
    std::string topic;
    std::optional<std::size_t> count;
    bool json = false;
};

Report report_refusals(const Json& answer) {
    Report report{.text = left_out_text(answer), .complaint = {}};
    for (const auto& refusal : answer["refusals"]) {
        report.text += fmt::format("{} {:<12}", refusal["time"].get<std::string>(), refusal["what"].get<std::string>());
        for (const auto* name : {"client", "user", "address", "topic", "code", "reason"}) {
            if (refusal.contains(name)) report.text += fmt::format(" {}={}", name, refusal[name].dump());
        }
        report.text += '\n';
    }
    return report;
}

struct RedirectOptions {
    ControlOptions control;
    std::string to;
    std::string client;
    bool permanent = false;
    bool new_clients = false;
    bool stop = false;
    bool json = false;
};

struct DisconnectOptions {
    ControlOptions control;
    std::string client;
    bool json = false;
};

}  // namespace

Run define_drops(CLI::App& command) {
    const auto options = std::make_shared<DropsOptions>();
    command.add_option("--client", options->client, "Only what this client was owed or published")->type_name("ID");
    command.add_option("-t,--topic", options->topic, "Only topics that match this filter")->type_name("FILTER");
    command.add_option("--reason", options->reason, "Only what was dropped for this reason, such as queue_full")
        ->type_name("REASON");
    command.add_option("--count", options->count, "Only the newest of them, so many")->type_name("N");
    command.add_flag("--json", options->json, "Print one JSON object");
    add_control_options(command, options->control);
    command.footer(R"(Examples:
  chappe drops
  chappe drops --reason queue_full --count 10
  chappe drops --client pump-7 -t 'site/#' --json

Lists the last messages that were not delivered, the latest at the end; server.drops_kept says how many at most.
Exit codes: 0 listed, 1 no broker answers or it refuses, 2 the command line is wrong.)");
    return [options] {
        auto request = Json::object();
        set_if_given(request, "client", options->client);
        set_if_given(request, "topic", options->topic);
        set_if_given(request, "reason", options->reason);
        if (options->count) request["count"] = *options->count;
        return ask_and_print(options->control, "drops", request, options->json, report_drops);
    };
}

Run define_refusals(CLI::App& command) {
    const auto options = std::make_shared<RefusalsOptions>();
    command.add_option("--what", options->what, "Only these: connect, publish, subscribe, or subscription (revoked)")
        ->type_name("WHAT");
    command.add_option("--client", options->client, "Only of this client identifier")->type_name("ID");
    command.add_option("-u,--user", options->user, "Only of this user name")->type_name("NAME");
    command.add_option("-t,--topic", options->topic, "Only topics that match this filter")->type_name("FILTER");
    command.add_option("--count", options->count, "Only the newest of them, so many")->type_name("N");
    command.add_flag("--json", options->json, "Print one JSON object");
    add_control_options(command, options->control);
    command.footer(R"(Examples:
  chappe refusals
  chappe refusals --what connect --count 10
  chappe refusals --user pump-7 -t 'site/#' --json

Lists who was refused what last, the latest at the end; server.refusals_kept says how many at most. chappe explain
says by which rule something is allowed or not.
Exit codes: 0 listed, 1 no broker answers or it refuses, 2 the command line is wrong.)");
    return [options] {
        auto request = Json::object();
        set_if_given(request, "what", options->what);
        set_if_given(request, "client", options->client);
        set_if_given(request, "user", options->user);
        set_if_given(request, "topic", options->topic);
        if (options->count) request["count"] = *options->count;
        return ask_and_print(options->control, "refusals", request, options->json, report_refusals);
    };
}

Run define_redirect(CLI::App& command) {
    const auto options = std::make_shared<RedirectOptions>();
    command.add_option("--to", options->to, "The other server, as in broker2.example.org:1883")->type_name("SERVER");
    command.add_option("--client", options->client, "Only this client; otherwise all")->type_name("ID");
    command.add_flag("--permanent", options->permanent, "They are to stay there (0x9D), not only for now (0x9C)");
    command.add_flag("--new", options->new_clients, "Send clients that connect from now on there as well");
    command.add_flag("--stop", options->stop, "Take new clients again")->excludes("--to");
    command.add_flag("--json", options->json, "Print one JSON object");
    add_control_options(command, options->control);
    command.footer(R"(Examples:
  chappe redirect --to broker2.example.org:1883 --client pump-7
  chappe redirect --to broker2.example.org:1883 --permanent --new
  chappe redirect --stop

Only MQTT 5.0 can say where to go. Older clients that are connected stay; with --new, older ones are refused.
Exit codes: 0 done, 1 no broker answers or it refuses, 2 the command line is wrong.)");
    return [options] {
        if (options->to.empty() && !options->stop) {
            std::fputs("chappe redirect: --to SERVER says where to, and --stop takes new clients again\n", stderr);
            return static_cast<int>(exit_usage);
        }
        Json request{{"permanent", options->permanent}, {"new_clients", options->new_clients}, {"stop", options->stop}};
        set_if_given(request, "to", options->to);
        set_if_given(request, "client", options->client);
        return ask_and_print(options->control, "redirect", request, options->json, [](const Json& answer) {
            return Report{.text = answer["redirected"].dump() + " clients sent elsewhere\n", .complaint = {}};
        });
    };
}

Run define_disconnect(CLI::App& command) {
    const auto options = std::make_shared<DisconnectOptions>();
    command.add_option("CLIENT", options->client, "The client identifier")->required();
    command.add_flag("--json", options->json, "Print one JSON object");
    add_control_options(command, options->control);
    command.footer(R"(Examples:
  chappe disconnect pump-7

Exit codes: 0 disconnected, 1 it was not connected or no broker answers, 2 the command line is wrong.)");
    return [options] {
        return ask_and_print(
            options->control, "disconnect", {{"client", options->client}}, options->json, [&](const Json& answer) {
                const bool was_there = answer["disconnected"].get<bool>();
                return Report{.text = {}, .complaint = was_there ? "" : '"' + options->client + "\" is not connected"};
            });
    };
}

}  // namespace chappe::app
