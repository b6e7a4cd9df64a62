#include "http/client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <curl/curl.h>

#include "base/assert.h"
#include "base/text.h"
#include "base/version.h"

namespace chappe::http {
namespace {

constexpr std::string_view stopped = "the request was given up, since the program stops";

// Once for the whole program, whichever thread comes first.
void start_curl() {
    static const auto outcome = curl_global_init(CURL_GLOBAL_DEFAULT);
    ASSERT(outcome == CURLE_OK);
}

// What follows the port may be meant for the server only.
std::string origin_of(const std::string& url) {
    const auto host = url.find("://");
    return host == url.npos ? url : url.substr(0, url.find_first_of("/?#", host + 3));
}

bool has_http_scheme(std::string_view url) {
    return equal_ignoring_case(url.substr(0, 7), "http://") || equal_ignoring_case(url.substr(0, 8), "https://");
}

std::string seconds_text(Duration duration) {
    const auto text = std::to_string(std::chrono::duration<double>(duration).count());
    const auto last = text.find_last_not_of('0');
    return text.substr(0, text[last] == '.' ? last : last + 1) + " s";
}

// Headers as libcurl wants them; some are secret.
class HeaderList {
public:
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList() {
        for (auto* one = first_; one != nullptr; one = one->next) explicit_bzero(one->data, std::strlen(one->data));
        curl_slist_free_all(first_);
    }

    void add(std::string_view name, std::string_view value) {
        auto line = std::string(name) + ": " + std::string(value);
        auto* longer = curl_slist_append(first_, line.c_str());
        crypto::wipe(line);
        ASSERT(longer != nullptr);  // No memory.
        first_ = longer;
    }
    [[nodiscard]] curl_slist* first() const noexcept { return first_; }

private:
    curl_slist* first_ = nullptr;
};

}  // namespace

// One request at a time, and the connections that it has left open. libcurl's own blocking call looks for a reason to
// end only once a second, so this does what that call does, and can be woken.
class Client::Transfer {
public:
    Transfer() : easy_(curl_easy_init()), multi_(curl_multi_init()) { ASSERT(easy_ != nullptr && multi_ != nullptr); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() {
        curl_easy_cleanup(easy_);
        curl_multi_cleanup(multi_);
    }

    [[nodiscard]] std::expected<Response, std::string> run(const Request& request, const std::atomic<bool>& stopping);
    void wake() { curl_multi_wakeup(multi_); }

private:
    template <class Value>
    void set(CURLoption option, Value value) {
        const auto outcome = curl_easy_setopt(easy_, option, value);
        ASSERT(outcome == CURLE_OK);  // Debian's libcurl has all that is asked for here.
    }

    void prepare(const Request& request);
    void prepare_headers(const Request& request, HeaderList& headers);
    [[nodiscard]] CURLcode perform(const std::atomic<bool>& stopping);
    [[nodiscard]] std::string describe(CURLcode code, const Request& request) const;
    [[nodiscard]] bool has_room(std::size_t size);

    static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* self);
    static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* self);

    CURL* const easy_;
    CURLM* const multi_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    Response response_;
    std::size_t room_ = 0;  // For so many bytes more.
    bool is_too_large_ = false;
};

std::expected<Response, std::string> Client::Transfer::run(const Request& request, const std::atomic<bool>& stopping) {
    HeaderList headers;
    prepare(request);
    prepare_headers(request, headers);
    const auto code = perform(stopping);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    auto why = code == CURLE_OK ? std::string() : describe(code, request);
    curl_easy_reset(easy_);  // It forgets the body and the headers, which go now.
    response_.status = static_cast<unsigned>(status);
    if (code == CURLE_OK) return std::move(response_);
    if (stopping) return std::unexpected(std::string(stopped));
    return std::unexpected(std::move(why));
}

void Client::Transfer::prepare(const Request& request) {
    response_ = {};
    error_.front() = '\0';
    room_ = request.answer_bytes_max;
    is_too_large_ = false;
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // A thread that waits for a name server ends by itself.
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_USERAGENT, (std::string("chappe/") + version()).c_str());
    set(CURLOPT_TIMEOUT_MS,
        static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(request.time_limit).count()));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!request.ca_file.empty()) {
        set(CURLOPT_CAINFO, request.ca_file.c_str());
        set(CURLOPT_CA_CACHE_TIMEOUT, 0L);  // Another file of this name counts for the next connection.
        set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // Nobody else is trusted then.
    }
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

void Client::Transfer::prepare_headers(const Request& request, HeaderList& headers) {
    for (const auto& [name, value] : request.headers) headers.add(name, value);
    if (!request.bearer_token.empty()) {
        auto value = "Bearer " + std::string(request.bearer_token);
        headers.add("Authorization", value);
        crypto::wipe(value);
    }
    if (!request.body.empty()) {
        headers.add("Expect", "");  // The server is not asked first whether it wants the body.
        set(CURLOPT_POSTFIELDS, request.body.reveal().data());  // Not copied.
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method != "GET" || !request.body.empty()) set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(CURLOPT_HTTPHEADER, headers.first());
}

CURLcode Client::Transfer::perform(const std::atomic<bool>& stopping) {
    static constexpr int poll_milliseconds_max = 1000;
    auto outcome = curl_multi_add_handle(multi_, easy_);
    int running = 1;
    while (outcome == CURLM_OK && running != 0 && !stopping) {
        outcome = curl_multi_perform(multi_, &running);
        if (outcome == CURLM_OK && running != 0) {
            outcome = curl_multi_poll(multi_, nullptr, 0, poll_milliseconds_max, nullptr);
        }
    }
    auto code = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    if (const auto* message = curl_multi_info_read(multi_, &left); message != nullptr) code = message->data.result;
    curl_multi_remove_handle(multi_, easy_);
    return code;
}

std::string Client::Transfer::describe(CURLcode code, const Request& request) const {
    const auto origin = origin_of(request.url);
    const std::string detail = error_.front() != '\0' ? error_.data() : curl_easy_strerror(code);
    if (is_too_large_) {
        return origin + " answers with more than " + std::to_string(request.answer_bytes_max) + " bytes";
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && !has_http_scheme(request.url)) code = CURLE_URL_MALFORMAT;
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return origin + " has not answered within " + seconds_text(request.time_limit);
        case CURLE_COULDNT_RESOLVE_HOST:
            return origin + ": there is no such host, or no name server knows it";
        case CURLE_COULDNT_CONNECT:
            return origin + " does not accept connections: " + detail;
        case CURLE_PEER_FAILED_VERIFICATION:
            return origin + " has a certificate that cannot be trusted: " + detail;
        case CURLE_SSL_CACERT_BADFILE:
            return (request.ca_file.empty() ? "the system's list of authorities" : request.ca_file) +
                   " cannot be read as certificates of authorities: " + detail;
        case CURLE_GOT_NOTHING:
            return origin + " closes the connection without an answer";
        case CURLE_URL_MALFORMAT:
            return origin + " is not a URL that begins with http:// or https:// and has a host";
        default:
            return origin + " cannot be asked: " + detail;
    }
}

bool Client::Transfer::has_room(std::size_t size) {
    is_too_large_ = is_too_large_ || size > room_;
    if (!is_too_large_) room_ -= size;
    return !is_too_large_;
}

// A line at a time. Those of an interim answer (100 Continue) are forgotten when the next one begins.
std::size_t Client::Transfer::on_header(char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.has_room(size)) return 0;
    const std::string_view line(data, size);
    auto& headers = transfer.response_.headers;
    const auto colon = line.find(':');
    if (line.starts_with("HTTP/")) {
        headers.clear();
    } else if (colon != line.npos) {
        headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    return size;
}

std::size_t Client::Transfer::on_body(char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.has_room(size)) return 0;
    transfer.response_.body.append(data, size);
    return size;
}

std::optional<std::string_view> Response::header(std::string_view name) const {
    const auto found =
        std::ranges::find_if(headers, [&](const auto& one) { return equal_ignoring_case(one.first, name); });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Client::Client(std::size_t idle_max) : idle_max_(idle_max) { start_curl(); }

Client::~Client() { ASSERT(running_.empty()); }

std::expected<Response, std::string> Client::send(const Request& request) {
    auto transfer = begin();
    auto answer = transfer->run(request, stopping_);
    end(std::move(transfer));
    return answer;
}

void Client::stop() {
    stopping_ = true;
    const std::scoped_lock lock(mutex_);
    for (auto* transfer : running_) transfer->wake();
}

std::unique_ptr<Client::Transfer> Client::begin() {
    const std::scoped_lock lock(mutex_);
    std::unique_ptr<Transfer> transfer;
    if (idle_.empty()) {
        transfer = std::make_unique<Transfer>();
    } else {
        transfer = std::move(idle_.back());
        idle_.pop_back();
    }
    running_.insert(transfer.get());
    return transfer;
}

void Client::end(std::unique_ptr<Transfer> transfer) {
    const std::scoped_lock lock(mutex_);
    running_.erase(transfer.get());
    if (idle_.size() < idle_max_) idle_.push_back(std::move(transfer));
    // Otherwise it goes when the lock has been given back.
}

}  // namespace chappe::http
