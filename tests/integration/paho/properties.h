#pragma once

extern "C" {  // Unlike MQTTAsync.h, this header does not say so itself.
#include <MQTTProperties.h>
}

#include <string_view>

#include "driver.h"

namespace paho {

// Paho's list of properties, freed with its owner.
class Properties {
public:
    Properties() = default;

    // The fields that are properties and whose names begin with `prefix`.
    explicit Properties(const Fields& fields, std::string_view prefix = "");
    ~Properties() { MQTTProperties_free(&list_); }
    Properties(const Properties&) = delete;
    Properties& operator=(const Properties&) = delete;

    [[nodiscard]] MQTTProperties* get() { return &list_; }

private:
    MQTTProperties list_ = MQTTProperties_initializer;
};

// Appends the properties that came with a packet.
void add_properties(Fields& fields, const MQTTProperties& list);

}  // namespace paho
