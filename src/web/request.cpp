#include "web/request.h"

#include <algorithm>

// The only place that knows of Boost.Beast: its parser of heads, without its sockets.
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/text.h"

namespace chappe::web {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view head_end = "\r\n\r\n";

// What Beast lets through: lines that are continued (obsolete) and control characters, which are how requests are
// smuggled past proxies.
bool is_plain(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto letter = static_cast<unsigned char>(text[at]);
        if (letter == '\r') {
            if (at + 1 == text.size() || text[at + 1] != '\n') return false;
            ++at;
            if (at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\t')) return false;
        } else if ((letter < ' ' && letter != '\t') || letter == 0x7F) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::optional<std::string_view> RequestHead::only(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const auto& [field, value] : fields) {
        if (!equal_ignoring_case(field, name)) continue;
        if (found) return {};
        found = value;
    }
    return found;
}

bool RequestHead::has(std::string_view name) const {
    return std::ranges::any_of(fields, [name](const auto& field) { return equal_ignoring_case(field.first, name); });
}

std::vector<std::string_view> RequestHead::list(std::string_view name) const {
    std::vector<std::string_view> members;
    for (const auto& [field, value] : fields) {
        if (!equal_ignoring_case(field, name)) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            const auto member = trimmed(rest.substr(0, comma));
            if (!member.empty()) members.push_back(member);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return members;
}

bool RequestHead::list_has(std::string_view name, std::string_view member) const {
    return std::ranges::any_of(list(name), [member](auto found) { return equal_ignoring_case(found, member); });
}

std::optional<std::size_t> head_size(std::string_view text, std::size_t search_from) {
    const auto found = text.find(head_end, search_from);
    if (found == text.npos) return {};
    return found + head_end.size();
}

std::optional<RequestHead> parse_request_head(std::string_view text) {
    if (!is_plain(text)) return {};
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(request_head_max));
    parser.skip(true);  // Of a body it need not know.
    boost::beast::error_code error;
    const auto used = parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
    if (error || !parser.is_header_done() || used != text.size()) return {};

    const auto& message = parser.get();
    RequestHead head{.method = std::string(message.method_string()),
                     .path = std::string(message.target()),
                     .is_http_1_1 = message.version() == 11,
                     .fields = {}};
    head.path.resize(std::min(head.path.find('?'), head.path.size()));
    for (const auto& field : message) {
        head.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    return head;
}

}  // namespace chappe::web
