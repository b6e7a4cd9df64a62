// What strangers send to a listener at http:// or https://.
//
// The first byte of the input chooses: a stream of frames, read whole and in pieces of the size that the second byte
// says; or the head of a request.

#include <algorithm>
#include <string>

#include "web/frame.h"
#include "web/upgrade.h"

namespace {

using namespace chappe;
using namespace chappe::web;

// All that a reader has found.
struct Found {
    std::string data;
    std::string last_ping;
    std::optional<CloseCode> close;
    std::optional<CloseCode> violation;

    friend bool operator==(const Found&, const Found&) = default;
};

Found read_frames(std::string text, std::size_t piece_size) {
    FrameReader reader;
    Found found;
    for (std::size_t at = 0; at < text.size(); at += piece_size) {
        const auto size = std::min(piece_size, text.size() - at);
        auto* piece = reinterpret_cast<std::uint8_t*>(text.data() + at);
        const auto outcome = reader.decode({piece, size});
        ASSERT(outcome.size <= size);
        ASSERT(!(outcome.close && outcome.violation));
        found.data += as_text({piece, outcome.size});
        if (outcome.ping) {
            ASSERT(outcome.ping->size() <= control_payload_max);
            found.last_ping = as_text(outcome.ping->bytes());
        }
        found.close = outcome.close;
        if (outcome.violation) found.violation = outcome.violation->code;
        if (outcome.close || outcome.violation) break;
    }
    return found;
}

// Where frames are cut makes no difference.
void check_frames(std::string_view text, std::size_t piece_size) {
    const auto whole = read_frames(std::string(text), text.size());
    ASSERT(read_frames(std::string(text), piece_size) == whole);
    ASSERT(whole.data.size() <= text.size());
}

// Whatever is granted was asked for, and no text of a stranger is in an answer.
void check_request(std::string_view text) {
    const auto size = head_size(text);
    if (!size || *size > request_head_max) return;
    const auto head = parse_request_head(text.substr(0, *size));
    if (!head) return;
    Rules rules;
    rules.trusted_proxies.push_back(*net::Network::parse("127.0.0.0/8"));
    const net::IpEndpoint proxy{*net::IpAddress::parse("127.0.0.1"), 1};
    static_cast<void>(forwarded_for(*head, proxy, rules));
    const auto answered = answer(*head, rules, false);
    const auto end = answered.text.find("\r\n\r\n");
    ASSERT(end != std::string::npos);
    ASSERT(std::ranges::none_of(answered.text, [](char letter) { return (letter & 0x80) != 0 || letter == '\0'; }));
    if (!answered.is_websocket()) {
        ASSERT(answered.status.code >= 400 && !answered.why.empty());
        return;
    }
    ASSERT(end + 4 == answered.text.size());
    ASSERT(head->method == "GET" && head->path == mqtt_path && head->is_http_1_1);
    ASSERT(head->only("Sec-WebSocket-Version") == "13" && head->list_has("Upgrade", "websocket"));
    ASSERT(text.substr(0, *size).find("mqtt") != std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const auto text = as_text({data + 2, size - 2});
    if (data[0] % 2 == 0) {
        check_frames(text, std::size_t{data[1]} + 1);
    } else {
        check_request(text);
    }
    return 0;
}
