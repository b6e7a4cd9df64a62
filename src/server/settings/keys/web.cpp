#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto web_member = at<Settings, &Settings::web, Member>();

constexpr Key rows[] = {
    {.section = "web",
     .name = "origins",
     .type = Type::Texts,
     .range = {1, 1024},
     .reload = Reload::Now,
     .text = "The pages that may connect, by their Origin as browsers send it, besides those that come from the host "
             "that they connect to. `*` lets pages of everybody connect. Without TLS, \"the host\" has to be an "
             "address or a local name (`localhost`, without a dot, `.local`, `.home.arpa`, `.internal`), since any "
             "other name can be pointed here by a stranger; list those. Programs that are not browsers are not asked.",
     .example = R"(["https://dashboard.example"])",
     .access = web_member<&WebSettings::origins>},
};

}  // namespace

std::span<const Key> web_keys() { return rows; }

}  // namespace chappe::server
