// chappe drops, redirect and disconnect: what the operator of a running broker asks of it.

#include <cstdio>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "apps/chappe/command.h"
#include "apps/chappe/operator/control_client.h"

namespace chappe::app {
namespace {

using Json = nlohmann::json;

// Asks and prints: the answer as it is, or what `print` makes of it. Returns the exit code.
template <class Print>
int ask_and_print(const ControlOptions& options, const char* name, const Json& request, bool json, Print print) {
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
    if (json) {
        std::printf("%s\n", text->c_str());
        return exit_success;
    }
    return print(answer);
}

void set_if_given(Json& request, const char* name, const std::string& value) {
    if (!value.empty()) request[name] = value;
}

struct DropsOptions {
    ControlOptions control;
    std::string client;
    std::string topic;
    std::string reason;
    bool json = false;
};

int print_drops(const Json& answer) {
    for (const auto& drop : answer["drops"]) {
        std::printf("%s %-20s client=%s topic=%s\n", drop["time"].get<std::string>().c_str(),
                    drop["reason"].get<std::string>().c_str(), drop["client"].dump().c_str(),
                    drop["topic"].dump().c_str());
    }
    return exit_success;
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
    command.add_flag("--json", options->json, "Print one JSON object");
    add_control_options(command, options->control);
    command.footer(R"(Examples:
  chappe drops
  chappe drops --reason queue_full
  chappe drops --client pump-7 -t 'site/#' --json

Lists the last messages that were not delivered, the latest at the end; server.drops_kept says how many are kept.
Exit codes: 0 listed, 1 no broker answers or it refuses, 2 the command line is wrong.)");
    return [options] {
        auto request = Json::object();
        set_if_given(request, "client", options->client);
        set_if_given(request, "topic", options->topic);
        set_if_given(request, "reason", options->reason);
        return ask_and_print(options->control, "drops", request, options->json, print_drops);
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
        Json request{{"permanent", options->permanent}, {"new_clients", options->new_clients}, {"stop", options->stop}};
        set_if_given(request, "to", options->to);
        set_if_given(request, "client", options->client);
        return ask_and_print(options->control, "redirect", request, options->json, [](const Json& answer) {
            std::printf("%s clients sent elsewhere\n", answer["redirected"].dump().c_str());
            return exit_success;
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
                if (answer["disconnected"].get<bool>()) return exit_success;
                std::fprintf(stderr, "chappe disconnect: \"%s\" is not connected\n", options->client.c_str());
                return exit_failure;
            });
    };
}

}  // namespace chappe::app
