#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto jwt_member = at<Settings, &Settings::access, &AccessSettings::jwt, Member>();

constexpr Key rows[] = {
    {.section = "jwt",
     .name = "algorithms",
     .type = Type::Texts,
     .range = {1, 16},
     .reload = Reload::Now,
     .text =
         "How tokens may be signed: `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, "
         "`ES256`, `ES384`, `ES512`, `EdDSA`. Others are refused, whatever the token says.",
     .example = R"(["RS256"])",
     .access = jwt_member<&JwtSettings::algorithms>},
    {.section = "jwt",
     .name = "key",
     .type = Type::Text,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "Where the key is that tokens are checked with: `file:PATH`, `env:NAME`, or `credential:NAME` for a "
             "credential of systemd. Public keys are PEM (also a certificate) or a set of JSON Web Keys; for `HS256` "
             "and its like it is the secret itself. A file is read again when it changes; one that cannot be used is "
             "reported, and the old key stays in use. At a URL, `https://`, the issuer publishes a set of keys (JWKS), "
             "which "
             "is fetched again after a time, and when a token names a key that is not known.",
     .example = R"("file:/etc/chappe/jwt.pem")",
     .access = jwt_member<&JwtSettings::key>},
    {.section = "jwt",
     .name = "key_ca_file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text =
         "The CA (PEM) of the server where the keys are, if `jwt.key` is a URL. Empty: those that the system trusts.",
     .example = R"("/etc/chappe/login-ca.pem")",
     .access = jwt_member<&JwtSettings::key_ca_file>},
    {.section = "jwt",
     .name = "key_refresh_seconds",
     .type = Type::Duration,
     .range = {60, 7 * 86'400},
     .reload = Reload::Now,
     .text =
         "After what time keys are fetched again at the latest, if `jwt.key` is a URL; earlier if the server says so. "
         "Where it cannot be reached, the old keys stay in use.",
     .example = R"("10m")",
     .access = jwt_member<&JwtSettings::key_refresh_seconds>},
    {.section = "jwt",
     .name = "issuer",
     .type = Type::Text,
     .range = {0, 1024},
     .reload = Reload::Now,
     .text = "What the claim `iss` must be. Empty: anything.",
     .example = R"("https://login.example.com/")",
     .access = jwt_member<&JwtSettings::issuer>},
    {.section = "jwt",
     .name = "audience",
     .type = Type::Text,
     .range = {0, 1024},
     .reload = Reload::Now,
     .text =
         "What the claim `aud` must be, or have among others. Empty: tokens with this claim are refused, since they "
         "are meant for somebody else.",
     .example = R"("chappe")",
     .access = jwt_member<&JwtSettings::audience>},
    {.section = "jwt",
     .name = "leeway_seconds",
     .type = Type::Duration,
     .range = {0, 3600},
     .reload = Reload::Now,
     .text = "By how much the clocks of this machine and of the issuer may differ.",
     .example = R"("10s")",
     .access = jwt_member<&JwtSettings::leeway_seconds>},
    {.section = "jwt",
     .name = "expiry_required",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "Whether tokens without an end (`exp`) are refused. A connection ends when its token does.",
     .example = "false",
     .access = jwt_member<&JwtSettings::expiry_required>},
    {.section = "jwt",
     .name = "user_name_claim",
     .type = Type::Text,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The claim that is the user name. What the client gives as user name plays no part. A claim inside of "
             "another one is named with a dot: `user.name`.",
     .example = R"("preferred_username")",
     .access = jwt_member<&JwtSettings::user_name_claim>},
    {.section = "jwt",
     .name = "client_id_claim",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Now,
     .text = "The claim that says for which client identifier the token is good. Empty: for any.",
     .example = R"("client_id")",
     .access = jwt_member<&JwtSettings::client_id_claim>},
    {.section = "jwt",
     .name = "roles_claim",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Now,
     .text = "The claim that has roles for the client, an array of texts or one text with spaces between. Those count "
             "that `jwt.roles_allowed` has. Empty: tokens give no roles.",
     .example = R"("realm_access.roles")",
     .access = jwt_member<&JwtSettings::roles_claim>},
    {.section = "jwt",
     .name = "roles_allowed",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles that a token may give; all others that it names are passed over.",
     .example = R"(["editor", "viewer"])",
     .access = jwt_member<&JwtSettings::roles_allowed>},
    {.section = "jwt",
     .name = "roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that comes with a token and has no account of that name, whatever else the token "
             "says.",
     .example = R"(["viewer"])",
     .access = jwt_member<&JwtSettings::roles>},
};

}  // namespace

std::span<const Key> jwt_keys() { return rows; }

}  // namespace chappe::server
