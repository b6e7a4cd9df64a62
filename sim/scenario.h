#pragma once

// One story from one seed: devices that publish, subscribe and share, connections that break, and at the end the books:
// what each was owed and what each got.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace chappe::sim {

struct Outcome {
    std::vector<std::string> faults;  // What must not have happened; empty: all is well.
    std::uint64_t trace_hash = 0;     // The same for the same seed.
    std::size_t published = 0;
    std::size_t received = 0;
};

[[nodiscard]] Outcome run_scenario(std::uint64_t seed, const std::function<void(const std::string&)>& trace = {});

}  // namespace chappe::sim
