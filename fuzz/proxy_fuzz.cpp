// What comes first where a listener has proxy_protocol: any bytes, though only of those whom the operator trusts.

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "proxy/header.h"

namespace {

using namespace chappe;

// All that a header says.
std::string told(const proxy::Parsed& parsed) {
    if (!parsed) return "wrong: " + std::string(parsed.error());
    if (!*parsed) return "more";
    const auto& header = **parsed;
    auto text = std::to_string(header.size) + (header.client ? ' ' + net::to_text(*header.client) : "");
    if (header.tls) text += header.tls->certificate ? " TLS " + header.tls->certificate->common_name : " TLS";
    return text;
}

}  // namespace

// However it is cut, nothing is decided before it can be, and what has been decided stays so.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    const auto whole = proxy::parse_header(bytes);
    std::size_t needed = 0;
    while (needed < size && told(proxy::parse_header(bytes.first(needed))) == "more") ++needed;
    ASSERT(needed <= proxy::header_size_max);
    ASSERT(told(proxy::parse_header(bytes.first(needed))) == told(whole));
    if (!whole) {
        ASSERT(!whole.error().empty());
    } else if (*whole) {
        const auto& header = **whole;
        ASSERT(header.size == needed);
        ASSERT(!header.tls || header.client);
        if (header.tls && header.tls->certificate) {
            const auto& name = header.tls->certificate->common_name;
            ASSERT(!name.empty() && name.size() < header.size && is_valid_utf8(name));
        }
    } else {
        ASSERT(size < proxy::header_size_max);
    }
    return 0;
}
