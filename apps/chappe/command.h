#pragma once

// A subcommand is one file of this folder, with one function that is listed here and in the table of main.cpp. The
// function declares the subcommand's options on `command`, its examples with `command.footer(...)`, and returns what
// runs when a person chose the subcommand; the number that comes back is the exit code. Options live in an object that
// the returned function shares:
//
//     Run define_check(CLI::App& command) {
//         auto options = std::make_shared<Options>();
//         command.add_option("FILE", options->file, "The configuration to check")->required();
//         return [options] { return check(*options); };
//     }

#include <functional>

#include <CLI/CLI.hpp>

namespace chappe::app {

using Run = std::function<int()>;

// What every subcommand means by these numbers; a subcommand says in its --help when it has more.
enum ExitCode : int { exit_success = 0, exit_failure = 1, exit_usage = 2 };

Run define_ban(CLI::App& command);
Run define_cert(CLI::App& command);
Run define_check(CLI::App& command);
Run define_config(CLI::App& command);
Run define_disconnect(CLI::App& command);
Run define_explain(CLI::App& command);
Run define_drops(CLI::App& command);
Run define_refusals(CLI::App& command);
Run define_redirect(CLI::App& command);
Run define_pub(CLI::App& command);
Run define_request(CLI::App& command);
Run define_role(CLI::App& command);
Run define_serve(CLI::App& command);
Run define_sub(CLI::App& command);
Run define_user(CLI::App& command);
Run define_version(CLI::App& command);

}  // namespace chappe::app
