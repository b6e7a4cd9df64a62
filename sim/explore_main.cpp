// chappe_sim_explore: runs stories from seed after seed until the time is over, and tells of those that went wrong.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <string>
#include <string_view>

#include "sim/scenario.h"

namespace {

constexpr auto usage =
    "Usage: chappe_sim_explore [--seconds N] [--seed S] [--seeds N] [--failures N] [--trace]\n"
    "  --seconds N   go on for so long (10)\n"
    "  --seed S      begin with this seed, and run only this one unless --seeds or --seconds is given\n"
    "  --seeds N     run so many seeds\n"
    "  --failures N  stop after so many seeds that fail (5)\n"
    "  --trace       tell every event\n";

struct Arguments {
    double seconds = 10;
    std::uint64_t seed = 0;
    std::uint64_t seeds = 0;  // 0: until the time is over.
    std::uint64_t failures = 5;
    bool trace = false;
};

bool parse(int argc, char** argv, Arguments& arguments) {
    bool has_seed = false;
    bool has_bound = false;
    for (int index = 1; index < argc; ++index) {
        const std::string_view option = argv[index];
        if (option == "--trace") {
            arguments.trace = true;
            continue;
        }
        if (index + 1 == argc) return false;
        const char* value = argv[++index];
        if (option == "--seconds") {
            arguments.seconds = std::strtod(value, nullptr);
            has_bound = true;
        } else if (option == "--seed") {
            arguments.seed = std::strtoull(value, nullptr, 10);
            has_seed = true;
        } else if (option == "--seeds") {
            arguments.seeds = std::strtoull(value, nullptr, 10);
            has_bound = true;
        } else if (option == "--failures") {
            arguments.failures = std::strtoull(value, nullptr, 10);
        } else {
            return false;
        }
    }
    if (has_seed && !has_bound) arguments.seeds = 1;
    if (!has_seed) arguments.seed = std::random_device{}() * std::uint64_t{1'000'000};
    return true;
}

bool passes(std::uint64_t seed, bool trace) {
    constexpr std::size_t tail = 40;
    std::deque<std::string> last;
    const auto outcome = chappe::sim::run_scenario(seed, [&](const std::string& line) {
        if (trace) {
            std::printf("%s\n", line.c_str());
            return;
        }
        last.push_back(line);
        if (last.size() > tail) last.pop_front();
    });
    if (outcome.faults.empty()) return true;
    std::printf("seed %llu: %zu published, %zu received\n", static_cast<unsigned long long>(seed), outcome.published,
                outcome.received);
    for (const auto& fault : outcome.faults) std::printf("  fault: %s\n", fault.c_str());
    for (const auto& line : last) std::printf("  %s\n", line.c_str());
    std::printf("repeat with: chappe_sim_explore --seed %llu --trace\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (!parse(argc, argv, arguments)) {
        std::fputs(usage, stderr);
        return 2;
    }
    std::printf("from seed %llu\n", static_cast<unsigned long long>(arguments.seed));
    const auto begin = std::chrono::steady_clock::now();
    unsigned passed = 0;
    unsigned failed = 0;
    for (std::uint64_t seed = arguments.seed; failed < arguments.failures; ++seed) {
        const auto elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (arguments.seeds != 0 ? seed == arguments.seed + arguments.seeds : elapsed > arguments.seconds) break;
        (passes(seed, arguments.trace) ? passed : failed) += 1;
    }
    std::printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
