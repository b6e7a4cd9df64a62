#include "apps/chappe/accounts/password.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include "crypto/random.h"
#include "crypto/secret_source.h"

namespace chappe::app {
namespace {

// While it lives, the terminal does not show what is typed, and a signal that would end the program is waited for like
// a letter instead: it must not leave the terminal like that, whenever it comes.
class Unseen {
public:
    Unseen() {
        sigset_t interruptions;
        sigemptyset(&interruptions);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&interruptions, signal);
        sigprocmask(SIG_BLOCK, &interruptions, &signals_before_);
        interruptions_ = signalfd(-1, &interruptions, SFD_CLOEXEC);
        if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
        auto unseen = before_;
        unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        unseen.c_cc[VSUSP] = _POSIX_VDISABLE;
        is_set_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) == 0;
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    ~Unseen() {
        if (is_set_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        if (interruptions_ != -1) close(interruptions_);
        sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
    }

    [[nodiscard]] bool is_set() const noexcept { return is_set_; }
    // Readable when such a signal has come, and takes it away when it is read. -1: there is none.
    [[nodiscard]] int interruptions() const noexcept { return interruptions_; }

private:
    sigset_t signals_before_{};
    int interruptions_ = -1;
    termios before_{};
    bool is_set_ = false;
};

// Waits for the next letter; false: a signal came first.
bool wait_for_letter(int interruptions) {
    std::array<pollfd, 2> awaited{
        {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}, {.fd = interruptions, .events = POLLIN, .revents = 0}}};
    while (poll(awaited.data(), awaited.size(), -1) < 0 && errno == EINTR) {
    }
    if ((awaited[1].revents & POLLIN) == 0) return true;
    signalfd_siginfo which{};
    static_cast<void>(!read(interruptions, &which, sizeof which));
    return false;
}

// Letter by letter: what comes after the line is somebody else's, and no buffer keeps a copy.
Outcome<crypto::Secret> read_password_line(int interruptions = -1) {
    std::string line;
    line.reserve(crypto::secret_size_max + 1);  // So that it stays in one place, which is wiped.
    const auto give_up = [&](std::string why) {
        crypto::wipe(line);
        return std::unexpected(std::move(why));
    };
    while (true) {
        if (!wait_for_letter(interruptions)) return give_up("interrupted");
        char letter = 0;
        const auto count = read(STDIN_FILENO, &letter, 1);
        if (count < 0) return give_up("no password: " + std::generic_category().message(errno));
        if (count == 0 || letter == '\n') break;
        if (line.size() == crypto::secret_size_max) return give_up("the password is longer than 64 KiB");
        line += letter;
    }
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) return std::unexpected("the password is empty");
    return crypto::Secret::taken_from(line);
}

Outcome<crypto::Secret> ask_unseen(const char* question) {
    const Unseen unseen;
    if (!unseen.is_set()) return std::unexpected("the terminal would show the password; --password-file FILE has it");
    std::fputs(question, stderr);
    auto password = read_password_line(unseen.interruptions());
    std::fputc('\n', stderr);
    return password;
}

Outcome<crypto::Secret> ask_twice() {
    auto password = TRY(ask_unseen("Password: "));
    const auto again = TRY(ask_unseen("The same again: "));
    if (!password.equals(again.reveal())) return std::unexpected("these were two different passwords");
    return password;
}

}  // namespace

void add_password_options(CLI::App& command, PasswordOptions& options) {
    command.add_option("--password-file", options.file, "A file that has the password, and nothing else")
        ->type_name("FILE");
    command.add_flag("--generate", options.generate, "Make a random password, and print it once")
        ->excludes("--password-file");
}

Outcome<crypto::Secret> choose_password(const PasswordOptions& options) {
    if (options.generate) return crypto::random_password();
    if (!options.file.empty()) {
        if (crypto::is_readable_by_others(options.file)) print_warning(options.file + " can be read by other users");
        return crypto::read_secret("file:" + options.file);
    }
    return isatty(STDIN_FILENO) == 1 ? ask_twice() : read_password_line();
}

void print_if_generated(const PasswordOptions& options, const crypto::Secret& password) {
    if (options.generate) print("password, shown only now: " + std::string(password.reveal()));
}

}  // namespace chappe::app
