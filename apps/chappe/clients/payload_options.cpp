#include "apps/chappe/clients/payload_options.h"

#include "apps/chappe/clients/options.h"

namespace chappe::app {

void add_payload_options(CLI::App& command, PayloadArguments& arguments) {
    command.add_option("-m,--message", arguments.text, "The payload")->type_name("TEXT")->allow_extra_args(false);
    command.add_option("-f,--file", arguments.file, "The payload is the content of a file")->type_name("FILE");
    command.add_flag("-s,--stdin-file", arguments.standard_input, "The payload is the whole of standard input");
    command.add_flag("-n,--null-message", arguments.empty, "The payload is empty");
}

Checked<std::string> read_payload(const PayloadArguments& arguments, const std::string& options) {
    if (arguments.given() == 0) return std::unexpected("say what to publish, with " + options);
    if (arguments.given() > 1) return std::unexpected("give only one of " + options);
    if (arguments.text) return *arguments.text;
    if (arguments.empty) return std::string();
    return read_file(arguments.standard_input ? "-" : arguments.file);
}

}  // namespace chappe::app
