// Writes the seeds of the fuzzers: write_seeds DIRECTORY makes DIRECTORY/decoder and DIRECTORY/connection, one file for
// each packet case, and DIRECTORY/topic_filter, one for each pair of filter and topic below, and DIRECTORY/settings,
// one for each setting. fuzz/README.md says what is done with them.

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "fuzz/connection/program.h"
#include "mqtt/encoder.h"
#include "server/settings/load.h"
#include "server/settings/print.h"
#include "tests/packet_cases.h"

namespace {

using namespace chappe::mqtt;

void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

// The first byte of decoder_fuzz.cpp's input.
char choice(const cases::PacketCase& row) {
    const auto version = row.version == ProtocolVersion::V5 ? 0 : row.version == ProtocolVersion::V311 ? 1 : 2;
    return static_cast<char>(version | (row.sender == Sender::Server ? 0b100 : 0));
}

void write_decoder_seeds(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    std::size_t number = 0;
    for (const auto& row : cases::packet_cases()) {
        write(directory / std::to_string(number), choice(row) + row.bytes());
        ++number;
    }
}

std::string step(chappe::fuzz::Step step) { return {static_cast<char>(step), 0}; }  // On the first connection.

// The steps that send these bytes.
std::string send(std::string_view bytes) {
    std::string steps;
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 255))) {
        const auto piece = bytes.substr(0, 255);
        steps += step(chappe::fuzz::Step::Raw) + static_cast<char>(piece.size()) + std::string(piece);
    }
    return steps;
}

std::string connect(ProtocolVersion version) {
    chappe::Buffer bytes;
    encode(Connect{.version = version, .client_id = "a"}, bytes);
    return send(chappe::as_text(bytes.bytes()));
}

// Each packet of a client on its connection, as the tests of the broker send it too.
void write_connection_seeds(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    std::size_t number = 0;
    for (const auto& row : cases::packet_cases()) {
        if (row.sender != Sender::Client || row.bytes().size() > 1000) continue;
        const auto before = row.is_connect() ? std::string() : connect(row.version);
        write(directory / std::to_string(number), std::string(chappe::fuzz::setup_size, '\0') +
                                                      step(chappe::fuzz::Step::Open) + before + send(row.bytes()));
        ++number;
    }
}

void write_topic_filter_seeds(const std::filesystem::path& directory) {
    constexpr std::array seeds = {
        "a/b\na/b",
        "+\na",
        "#\na/b/c",
        "a/#\na",
        "a/+/c\na//c",
        "/+\n/finance",
        "+/+\n/finance",
        "+/#\n$SYS/x",
        "$SYS/+\n$SYS/x",
        "$share/g/a/+\na/b",
        "$share/g//a\n/a",
        "$share//a\na",
        "$share/g/\na",
        "$share/+/a\na",
        "$share\n$share",
        "a/#/b\na/b",
        "a+\na+",
        "##\na",
        "\na",
        "\xC3\xA9/+\n\xC3\xA9/x",
        "\xED\xA0\x80\nx",
        "a\n",
        "/\n/",
        "//\n//",
        "+/+/+/+/#\na/b/c/d/e/f",
    };
    std::filesystem::create_directories(directory);
    for (std::size_t i = 0; i < seeds.size(); ++i) write(directory / std::to_string(i), seeds[i]);
}

// Each setting in a file, and on a command line behind one of another.
void write_settings_seeds(const std::filesystem::path& directory) {
    using namespace chappe::server;
    std::filesystem::create_directories(directory);
    for (const auto& key : keys()) {
        const auto header = key.is_of_listener() ? "[[listener]]" : fmt::format("[{}]", key.section);
        const auto line = fmt::format("{} = {}", key.name, key.example);
        write(directory / key.full_name(), fmt::format("{}\n{}\n{}\n", header, line, line));
        write(directory / (key.full_name() + ".option"),
              std::string("#\0", 2) + key.full_name() + "=5\nlog.level=debug");
    }
    write(directory / "all", print_toml(load(nullptr, {}, {}), Which::All));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: write_seeds DIRECTORY\n", stderr);
        return 2;
    }
    write_decoder_seeds(std::filesystem::path(argv[1]) / "decoder");
    write_connection_seeds(std::filesystem::path(argv[1]) / "connection");
    write_topic_filter_seeds(std::filesystem::path(argv[1]) / "topic_filter");
    write_settings_seeds(std::filesystem::path(argv[1]) / "settings");
}
