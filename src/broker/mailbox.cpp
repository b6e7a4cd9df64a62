#include "broker/mailbox.h"

#include <iterator>
#include <utility>

namespace chappe::broker {

bool Mailbox::put(std::vector<Mail>& batch, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const bool was_empty = mail_.empty();
    if (was_empty) {
        mail_.swap(batch);
    } else {
        mail_.insert(mail_.end(), std::move_iterator(batch.begin()), std::move_iterator(batch.end()));
        batch.clear();
    }
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return was_empty;
}

bool Mailbox::full_for(ShardId sender, std::size_t bytes_max) {
    if (bytes() <= bytes_max) return false;
    const std::lock_guard lock(mutex_);
    if (bytes() <= bytes_max) return false;
    waiting_.push_back(sender);
    return true;
}

void Mailbox::take(std::vector<Mail>& out, std::vector<ShardId>& waiting) {
    ASSERT(out.empty());
    const std::lock_guard lock(mutex_);
    mail_.swap(out);
    bytes_.store(0, std::memory_order_relaxed);
    waiting.insert(waiting.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
}

}  // namespace chappe::broker
