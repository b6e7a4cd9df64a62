#include "sim/scenario.h"

#include <gtest/gtest.h>

namespace chappe::sim {
namespace {

// A failing seed is repeated with: chappe_sim_explore --seed SEED --trace
TEST(Scenario, HoldsForFixedSeeds) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const auto outcome = run_scenario(seed);
        for (const auto& fault : outcome.faults) ADD_FAILURE() << "seed " << seed << ": " << fault;
        EXPECT_GT(outcome.published, 0U) << "seed " << seed;
    }
}

TEST(Scenario, IsTheSameForTheSameSeed) {
    EXPECT_EQ(run_scenario(7).trace_hash, run_scenario(7).trace_hash);
    EXPECT_NE(run_scenario(7).trace_hash, run_scenario(8).trace_hash);
}

}  // namespace
}  // namespace chappe::sim
