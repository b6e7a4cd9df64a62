#include "ldap/syntax.h"

#include <ldap.h>

#include <memory>
#include <string_view>

namespace chappe::ldap {
namespace {

constexpr int filter_depth_max = 32;

using Dn = std::unique_ptr<LDAPRDN, decltype(&ldap_dnfree)>;

// Null: it is none.
Dn parse_dn(const std::string& text) {
    LDAPDN dn = nullptr;
    const int code = ldap_str2dn(text.c_str(), &dn, LDAP_DN_FORMAT_LDAPV3);
    return {code == LDAP_SUCCESS ? dn : nullptr, &ldap_dnfree};
}

// One comparison, with its parentheses. The library has a function for filters without "and", "or" and "not" (RFC
// 3876), and none that is public for whole ones.
bool is_comparison(const std::string& text) {
    const std::unique_ptr<BerElement, void (*)(BerElement*)> out(ber_alloc_t(LBER_USE_DER),
                                                                 [](BerElement* ber) { ber_free(ber, 1); });
    return out != nullptr && ldap_put_vrFilter(out.get(), text.c_str()) == 0;
}

bool take(std::string_view& text, char character) {
    if (!text.starts_with(character)) return false;
    text.remove_prefix(1);
    return true;
}

// Takes one filter from the beginning of the text.
bool take_filter(std::string_view& text, int depth_left) {  // NOLINT(misc-no-recursion): depth_left ends it.
    if (depth_left == 0 || !text.starts_with('(')) return false;
    const auto whole = text;
    text.remove_prefix(1);
    const bool is_not = take(text, '!');
    if (is_not || take(text, '&') || take(text, '|')) {
        do {
            if (!take_filter(text, depth_left - 1)) return false;
        } while (!is_not && text.starts_with('('));
        return take(text, ')');
    }
    const auto end = text.find_first_of("()");
    if (end == text.npos || text[end] != ')') return false;
    text.remove_prefix(end + 1);
    return is_comparison(std::string(whole.substr(0, end + 2)));
}

}  // namespace

bool is_filter(const std::string& text) {
    std::string_view rest = text;
    return take_filter(rest, filter_depth_max) && rest.empty();
}

bool is_dn(const std::string& text) { return parse_dn(text) != nullptr; }

std::optional<std::string> first_value_of(const std::string& dn) {
    const auto parsed = parse_dn(dn);
    if (!parsed) return std::nullopt;
    const auto& value = (*parsed.get())[0]->la_value;
    return std::string(value.bv_val, value.bv_len);
}

std::optional<Url> parse_url(const std::string& text) {
    if (text.find_first_of(" ,") != text.npos) return std::nullopt;  // Either is between two of them for libldap.
    LDAPURLDesc* raw = nullptr;
    if (ldap_url_parse(text.c_str(), &raw) != LDAP_URL_SUCCESS) return std::nullopt;
    const std::unique_ptr<LDAPURLDesc, decltype(&ldap_free_urldesc)> url(raw, &ldap_free_urldesc);
    const std::string_view scheme = url->lud_scheme;
    const std::string_view base = url->lud_dn == nullptr ? "" : url->lud_dn;
    if ((scheme != "ldap" && scheme != "ldaps") || !base.empty() || url->lud_host == nullptr) return std::nullopt;
    if (*url->lud_host == '\0') return std::nullopt;
    return Url{.host = url->lud_host, .is_tls = scheme == "ldaps"};
}

}  // namespace chappe::ldap
