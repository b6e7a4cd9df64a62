#include "broker/counters.h"

namespace chappe::broker {

std::string_view to_string(DropReason reason) noexcept {
    static constexpr std::array<std::string_view, drop_reason_count> names = {"queue_full",
                                                                              "queues_full",
                                                                              "rejected",
                                                                              "unsent_full",
                                                                              "offline",
                                                                              "expired",
                                                                              "packet_too_large",
                                                                              "session_ended",
                                                                              "not_authorized",
                                                                              "retained_full",
                                                                              "refused_by_subscriber",
                                                                              "no_member"};
    return names[static_cast<std::size_t>(reason)];
}

}  // namespace chappe::broker
