#pragma once

// Things with ids that are never confused: an id is a slot and the slot's generation, so the id of something that is
// gone finds nothing, although its slot serves another now. Owned by one shard. A thing's address does not change.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace chappe::broker {

template <class IdType, class T>
class SlotMap {
public:
    [[nodiscard]] static constexpr std::uint32_t slot_of(IdType id) noexcept {
        return static_cast<std::uint32_t>(id.value);
    }

    template <class... Arguments>
    std::pair<IdType, T&> emplace(Arguments&&... arguments) {
        const auto slot = take_slot();
        auto& entry = slots_[slot];
        const auto id = IdType{(static_cast<std::uint64_t>(entry.generation) << 32) | slot};
        entry.thing = std::make_unique<T>(id, std::forward<Arguments>(arguments)...);
        ++size_;
        return {id, *entry.thing};
    }

    [[nodiscard]] T* find(IdType id) const noexcept {
        const auto slot = slot_of(id);
        if (slot >= slots_.size()) return nullptr;
        const auto& entry = slots_[slot];
        return entry.generation == id.value >> 32 ? entry.thing.get() : nullptr;
    }

    // The thing that is in a slot now, or nullptr.
    [[nodiscard]] T* in_slot(std::uint32_t slot) const noexcept {
        return slot < slots_.size() ? slots_[slot].thing.get() : nullptr;
    }

    void erase(IdType id) {
        ASSERT(find(id) != nullptr);
        auto& entry = slots_[slot_of(id)];
        const auto thing = std::move(entry.thing);  // Destroyed last, when the map is whole again.
        if (++entry.generation == 0) entry.generation = 1;
        free_.push_back(slot_of(id));
        --size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t slot_count() const noexcept { return slots_.size(); }

    // Calls visit(T&) for each. `visit` may erase the thing it is given, and no other.
    template <class Visit>
    void for_each(Visit visit) {
        for (std::size_t slot = 0; slot != slots_.size(); ++slot) {
            if (auto* thing = slots_[slot].thing.get()) visit(*thing);
        }
    }

private:
    struct Slot {
        std::uint32_t generation = 1;
        std::unique_ptr<T> thing;
    };

    std::uint32_t take_slot() {
        if (free_.empty()) {
            slots_.emplace_back();
            return static_cast<std::uint32_t>(slots_.size() - 1);
        }
        const auto slot = free_.back();
        free_.pop_back();
        return slot;
    }

    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace chappe::broker
