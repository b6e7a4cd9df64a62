#include "server/settings/document.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace chappe::server {

namespace {

TEST(Document, IsTheCommittedOne) {
    const std::ifstream file(CHAPPE_SOURCE_DIR "/docs/configuration.md");
    std::ostringstream committed;
    committed << file.rdbuf();
    EXPECT_EQ(committed.str(), document_settings())
        << "docs/configuration.md is stale: chappe config --document > docs/configuration.md";
}

}  // namespace

}  // namespace chappe::server
