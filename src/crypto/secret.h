#pragma once

// Bytes that nobody but their user may see: a password, a key.

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace chappe::crypto {

// Owns its bytes, in one place, and overwrites them before it gives up their memory. It cannot be copied, printed,
// logged or compared with ==: whoever needs the bytes calls reveal(), which can be searched for.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view bytes);  // Copies; what it copies from is the caller's to wipe.
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    // Takes the bytes and overwrites the text, so that they are in one place again.
    [[nodiscard]] static Secret taken_from(std::string& text);

    [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // In a time that depends on the sizes only.
    [[nodiscard]] bool equals(std::string_view other) const noexcept;

    friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;
    friend void PrintTo(const Secret&, std::ostream*) = delete;  // NOLINT(readability-identifier-naming): GoogleTest's.

private:
    void wipe() noexcept;

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
};

// Overwrites bytes in a way that no compiler leaves out.
void wipe(std::string& text) noexcept;

// In a time that depends on the sizes only.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace chappe::crypto
