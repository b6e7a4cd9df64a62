#include "ldap/connection.h"

#include <ldap.h>
#include <sys/time.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <ranges>

#include "base/result.h"
#include "ldap/deadline.h"
#include "ldap/syntax.h"

namespace chappe::ldap {
namespace {

constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";

using Text = std::unique_ptr<char, decltype(&ldap_memfree)>;
using Answer = std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)>;
using Values = std::unique_ptr<berval*, decltype(&ldap_value_free_len)>;

timeval as_timeval(std::chrono::microseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {.tv_sec = seconds.count(), .tv_usec = (time - seconds).count()};
}

Fault fault_of(int code) {
    switch (code) {
        case LDAP_INVALID_CREDENTIALS:
            return Fault::WrongPassword;
        case LDAP_NO_SUCH_OBJECT:
            return Fault::NoSuchEntry;
        case LDAP_SERVER_DOWN:
        case LDAP_CONNECT_ERROR:
        case LDAP_TIMEOUT:
        case LDAP_BUSY:
        case LDAP_UNAVAILABLE:
            return Fault::Unreachable;
        default:
            return Fault::Refused;
    }
}

// What was tried, what came of it, and what the server says of that.
Error failed(::ldap* handle, const Deadline& deadline, std::string what, int code) {
    Error error{.fault = fault_of(code), .text = std::move(what)};
    if (code == LDAP_TIMEOUT || deadline.is_over()) {
        return {.fault = Fault::Unreachable, .text = error.text + ": no answer within the time limit"};
    }
    error.text += ": ";
    error.text += ldap_err2string(code);
    char* raw = nullptr;
    ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, static_cast<void*>(&raw));
    const Text said(raw, &ldap_memfree);
    if (said && *said != '\0') error.text += std::string(" (") + said.get() + ")";
    return error;
}

// libldap reads its files when it is first used, which two threads must not do at once.
void initialize_once() {
    static std::once_flag done;
    std::call_once(done, [] {
        LDAPAPIInfo info{};
        info.ldapai_info_version = LDAP_API_INFO_VERSION;
        if (ldap_get_option(nullptr, LDAP_OPT_API_INFO, &info) != LDAP_OPT_SUCCESS) return;
        ldap_memfree(info.ldapai_vendor_name);
        ber_memvfree(reinterpret_cast<void**>(info.ldapai_extensions));
    });
}

class Options {
public:
    explicit Options(::ldap* handle) : handle_(handle) {}

    void set(int option, const void* value) {
        if (ldap_set_option(handle_, option, value) != LDAP_OPT_SUCCESS && !failed_) failed_ = option;
    }
    void set(int option, int value) { set(option, static_cast<const void*>(&value)); }

    [[nodiscard]] std::optional<int> failed() const { return failed_; }

private:
    ::ldap* handle_;
    std::optional<int> failed_;
};

// All that ldap.conf could say otherwise. Nothing: they are set.
std::optional<int> set_options(::ldap* handle, const Server& server) {
    const auto limit = as_timeval(server.time_limit);
    Options options(handle);
    options.set(LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3);
    options.set(LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    options.set(LDAP_OPT_RESTART, LDAP_OPT_ON);
    options.set(LDAP_OPT_NETWORK_TIMEOUT, &limit);
    options.set(LDAP_OPT_TIMEOUT, &limit);
    options.set(LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND);
    options.set(LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2);
    options.set(LDAP_OPT_X_TLS_CACERTDIR, static_cast<const void*>(""));
    options.set(LDAP_OPT_X_TLS_CACERTFILE,
                static_cast<const void*>(server.ca_file.empty() ? system_ca_file : server.ca_file.c_str()));
    return options.failed();
}

// What libldap and GnuTLS know of this is "unknown error code".
std::string why_no_tls(const Server& server) {
    const auto file = server.ca_file.empty() ? std::string(system_ca_file) : server.ca_file;
    return "; it can be reached, but not by TLS: its certificate has to be of a CA in " + file +
           ", and for the host name in the URL";
}

// Only where all URLs are known to be ldap:// there is none. libldap takes other spellings of ldaps://, and TLS without
// settings of its own has those of ldap.conf and the environment.
bool wants_tls(const Server& server) {
    const auto may_be_tls = [](auto word) {
        const auto url = parse_url(std::string(word.begin(), word.end()));
        return !url || url->is_tls;
    };
    return server.start_tls || std::ranges::any_of(std::views::split(server.url, ' '), may_be_tls);
}

std::vector<std::string> values_of(::ldap* handle, LDAPMessage* entry, const std::string& attribute) {
    std::vector<std::string> texts;
    const Values values(ldap_get_values_len(handle, entry, attribute.c_str()), &ldap_value_free_len);
    if (!values) return texts;
    for (auto* const* value = values.get(); *value != nullptr; ++value) {
        texts.emplace_back((*value)->bv_val, (*value)->bv_len);
    }
    return texts;
}

std::vector<Entry> entries_of(::ldap* handle, LDAPMessage* answer, const Search& wanted) {
    std::vector<Entry> entries;
    for (auto* each = ldap_first_entry(handle, answer); each != nullptr; each = ldap_next_entry(handle, each)) {
        if (entries.size() == wanted.entries_max) break;
        const Text dn(ldap_get_dn(handle, each), &ldap_memfree);
        Entry entry{.dn = dn ? dn.get() : "", .attributes = {}};
        for (const auto& name : wanted.attributes) {
            entry.attributes.emplace_back(name, values_of(handle, each, name));
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

// What libldap wants: not const, and ended by a null pointer.
std::vector<char*> pointers_to(std::vector<std::string>& names) {
    std::vector<char*> pointers;
    for (auto& name : names) pointers.push_back(name.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

void Connection::Closer::operator()(::ldap* handle) const noexcept { ldap_unbind_ext_s(handle, nullptr, nullptr); }

Connection::Connection(std::unique_ptr<Deadline> deadline, Handle handle)
    : deadline_(std::move(deadline)), handle_(std::move(handle)) {}

Connection::~Connection() = default;

Result<std::unique_ptr<Session>> Connection::open(const Server& server) {
    initialize_once();
    ::ldap* raw = nullptr;
    if (const int code = ldap_initialize(&raw, server.url.c_str()); code != LDAP_SUCCESS) {
        return std::unexpected(Error{Fault::Refused, server.url + ": " + ldap_err2string(code)});
    }
    auto deadline = std::make_unique<Deadline>(server.time_limit);
    Handle handle(raw);
    if (deadline->watch(raw) != LDAP_OPT_SUCCESS) {
        return std::unexpected(Error{Fault::Refused, "libldap does not let its connections be watched"});
    }
    if (const auto option = set_options(raw, server)) {
        return std::unexpected(Error{Fault::Refused, "libldap does not take its option " + std::to_string(*option)});
    }
    if (wants_tls(server)) {
        const int as_client = 0;  // Takes over the options above.
        if (ldap_set_option(raw, LDAP_OPT_X_TLS_NEWCTX, &as_client) != LDAP_OPT_SUCCESS) {
            const auto file = server.ca_file.empty() ? std::string(system_ca_file) : server.ca_file;
            return std::unexpected(Error{Fault::Refused, file + ": this file of certificates cannot be used"});
        }
    }
    const int code = server.start_tls ? ldap_start_tls_s(raw, nullptr, nullptr) : ldap_connect(raw);
    if (code != LDAP_SUCCESS) {
        auto error = failed(raw, *deadline, server.url + (server.start_tls ? ": StartTLS" : ""), code);
        const bool is_tls_to_blame = wants_tls(server) && deadline->has_connected() && !deadline->is_over();
        if (is_tls_to_blame && (code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR))
            error.text += why_no_tls(server);
        return std::unexpected(std::move(error));
    }
    return std::unique_ptr<Session>(new Connection(std::move(deadline), std::move(handle)));
}

Result<std::chrono::microseconds> Connection::time_for(const std::string& what) {
    const auto left = deadline_->left();
    if (left == left.zero()) return std::unexpected(failed(handle_.get(), *deadline_, what, LDAP_TIMEOUT));
    const auto limit = as_timeval(left);
    const int code = ldap_set_option(handle_.get(), LDAP_OPT_TIMEOUT, &limit);
    if (code != LDAP_OPT_SUCCESS) return std::unexpected(failed(handle_.get(), *deadline_, what, code));
    return left;
}

Result<void> Connection::bind(const std::string& dn, std::string_view password) {
    if (password.empty()) return std::unexpected(Error{Fault::WrongPassword, "the password is empty"});
    if (dn.empty()) return std::unexpected(Error{Fault::Refused, "there is no name to bind as"});
    TRY(time_for("bind as " + dn));
    std::string copy(password);
    const berval secret{.bv_len = copy.size(), .bv_val = copy.data()};
    auto to_send = secret;
    const int code = ldap_sasl_bind_s(handle_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &to_send, nullptr, nullptr, nullptr);
    explicit_bzero(copy.data(), copy.size());
    if (code == LDAP_SUCCESS) return {};
    return std::unexpected(failed(handle_.get(), *deadline_, "bind as " + dn, code));
}

// That there are more than wanted is no error; that the server gives fewer than wanted, and has more, is one.
Result<std::vector<Entry>> Connection::search(const Search& wanted) {
    auto limit = as_timeval(TRY(time_for("search in " + wanted.base)));
    auto names = wanted.attributes;
    if (names.empty()) names.emplace_back(LDAP_NO_ATTRS);
    auto pointers = pointers_to(names);
    LDAPMessage* raw = nullptr;
    const int code =
        ldap_search_ext_s(handle_.get(), wanted.base.c_str(),
                          wanted.scope == Scope::Entry ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE, wanted.filter.c_str(),
                          pointers.data(), 0, nullptr, nullptr, &limit, static_cast<int>(wanted.entries_max), &raw);
    const Answer answer(raw, &ldap_msgfree);
    if (code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_PARTIAL_RESULTS) {
        auto entries = entries_of(handle_.get(), answer.get(), wanted);
        if (code != LDAP_SIZELIMIT_EXCEEDED || entries.size() == wanted.entries_max) return entries;
    }
    return std::unexpected(failed(handle_.get(), *deadline_, "search in " + wanted.base, code));
}

}  // namespace chappe::ldap
