#pragma once

// A double-ended queue in one block of memory, for queues that are empty most of the time: an empty Ring that was
// shrunk holds no memory, and pushing and popping do not allocate once it has its size. Index 0 is the front.

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/assert.h"

namespace chappe {

template <class T>
class Ring {
public:
    Ring() = default;
    Ring(Ring&& other) noexcept { swap(other); }
    Ring& operator=(Ring&& other) noexcept {
        Ring moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~Ring() { clear_and_free(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T& operator[](std::size_t index) noexcept { return *place(index); }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return *place(index); }
    [[nodiscard]] T& front() noexcept { return (*this)[0]; }
    [[nodiscard]] const T& front() const noexcept { return (*this)[0]; }
    [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }

    T& push_back(T value) {
        if (size_ == capacity_) enlarge();
        T* created = new (place_of(begin_ + size_)) T(std::move(value));
        ++size_;
        return *created;
    }

    T& push_front(T value) {
        if (size_ == capacity_) enlarge();
        begin_ = (begin_ + capacity_ - 1) & (capacity_ - 1);
        T* created = new (place_of(begin_)) T(std::move(value));
        ++size_;
        return *created;
    }

    T pop_front() {
        ASSERT(size_ != 0);
        T* first = place(0);
        T value = std::move(*first);
        first->~T();
        begin_ = (begin_ + 1) & (capacity_ - 1);
        --size_;
        return value;
    }

    T pop_back() {
        ASSERT(size_ != 0);
        T* last = place(size_ - 1);
        T value = std::move(*last);
        last->~T();
        --size_;
        return value;
    }

    void clear() noexcept {
        while (size_ != 0) {
            place(--size_)->~T();
        }
        begin_ = 0;
    }

    void clear_and_free() noexcept {
        clear();
        ::operator delete(memory_, std::align_val_t{alignof(T)});
        memory_ = nullptr;
        capacity_ = 0;
    }

    void swap(Ring& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(size_, other.size_);
    }

private:
    [[nodiscard]] T* place_of(std::size_t position) const noexcept { return memory_ + (position & (capacity_ - 1)); }
    [[nodiscard]] T* place(std::size_t index) const noexcept { return place_of(begin_ + index); }

    void enlarge() {
        const std::size_t capacity = capacity_ == 0 ? 4 : 2 * capacity_;
        auto* memory = static_cast<T*>(::operator new(capacity * sizeof(T), std::align_val_t{alignof(T)}));
        for (std::size_t index = 0; index != size_; ++index) {
            T* old = place(index);
            new (memory + index) T(std::move(*old));
            old->~T();
        }
        ::operator delete(memory_, std::align_val_t{alignof(T)});
        memory_ = memory;
        capacity_ = capacity;
        begin_ = 0;
    }

    T* memory_ = nullptr;
    std::size_t capacity_ = 0;  // A power of two, or 0.
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
};

}  // namespace chappe
