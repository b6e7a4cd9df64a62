#include "server/settings/changes.h"

#include <algorithm>
#include <cstddef>

#include "server/settings/value.h"

namespace chappe::server {

namespace {

// Listeners are compared as a whole, so their keys are left out here.
bool is_of_server(const Key& key) { return !key.is_of_listener() && key.type != Type::Urls; }

// A default listener that is now written down is the same listener.
bool same_listeners(const Settings& old, const Settings& now) {
    return std::ranges::equal(old.listeners, now.listeners, [](Listener a, const Listener& b) {
        a.may_be_absent = b.may_be_absent;
        return a == b;
    });
}

std::string urls_of(const Settings& settings) {
    std::string urls;
    for (const auto& listener : settings.listeners) urls += (urls.empty() ? "" : ", ") + listener.url.text();
    return urls;
}

}  // namespace

std::vector<Change> changes(const Settings& old, const Settings& now) {
    std::vector<Change> changes;
    if (!same_listeners(old, now)) changes.push_back({"listener", urls_of(old), urls_of(now), Reload::Restart});
    for (const auto& key : keys()) {
        if (!is_of_server(key) || key.get(old) == key.get(now)) continue;
        changes.push_back(
            {key.full_name(), print_value(key, key.get(old)), print_value(key, key.get(now)), key.reload});
    }
    return changes;
}

Settings after_reload(const Settings& old, const Settings& now) {
    auto settings = now;
    settings.listeners = old.listeners;
    for (const auto& key : keys()) {
        if (is_of_server(key) && key.reload == Reload::Restart) key.set(settings, key.get(old));
    }
    return settings;
}

}  // namespace chappe::server
