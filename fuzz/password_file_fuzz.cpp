// A password file of Mosquitto's, or its psk_file: what is taken of it can be stored, and what is not has a line and a
// short reason.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "crypto/password_file.h"
#include "crypto/preshared_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace chappe;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    const auto file = crypto::parse_password_file(text);
    std::set<std::string_view> names;
    for (const auto& entry : file.entries) {
        ASSERT(!entry.name.empty() && is_valid_utf8(entry.name) && !entry.name.contains('\n'));
        ASSERT(entry.hash.starts_with('$') && entry.line >= 1 && entry.line <= lines);
        ASSERT(names.insert(entry.name).second);
    }
    for (const auto& finding : file.findings) {
        ASSERT(finding.line >= 1 && finding.line <= lines);
        ASSERT(!finding.text.empty() && finding.text.size() < 200);
    }
    const auto keys = crypto::PresharedKeys::parse(text);
    ASSERT(keys ? keys->size() <= lines : !keys.error().empty() && keys.error().size() < 250);
    if (keys) ASSERT(keys->find(keys->first().first) == &keys->first().second);
    return 0;
}
