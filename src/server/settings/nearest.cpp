#include "server/settings/nearest.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

namespace chappe::server {

namespace {

// Longer words are not misspelt names, and the work grows with the square of the length.
constexpr std::size_t word_length_max = 64;

std::size_t cost(char a, char b) {
    const auto lower = [](char letter) { return std::tolower(static_cast<unsigned char>(letter)); };
    return lower(a) == lower(b) ? 0 : 1;
}

// The optimal string alignment distance: rows of the usual table for i - 2, i - 1 and i letters of `a`.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before.swap(last);
        last.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost(a[i - 1], b[j - 1])});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.size() > word_length_max) return std::nullopt;
    std::optional<std::string_view> best;
    auto best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto candidate : candidates) {
        const auto wrong = distance(word, candidate);
        if (wrong < best_distance) {
            best = candidate;
            best_distance = wrong;
        }
    }
    return best;
}

}  // namespace chappe::server
