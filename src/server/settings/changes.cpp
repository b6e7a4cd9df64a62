#include "server/settings/changes.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "server/settings/value.h"

namespace chappe::server {

namespace {

bool is_of_server(const Key& key) { return !key.is_of_listener() && key.type != Type::Urls; }

bool needs_restart(const Key& key) { return key.reload == Reload::Restart; }

const Listener* find_listener(const Settings& settings, const net::ListenUrl& url) {
    const auto found = std::ranges::find(settings.listeners, url, &Listener::url);
    return found == settings.listeners.end() ? nullptr : &*found;
}

std::string urls_of(const Settings& settings) {
    std::string urls;
    for (const auto& listener : settings.listeners) urls += (urls.empty() ? "" : ", ") + listener.url.text();
    return urls;
}

std::string print(const Key& key, const Value& value) {
    return std::holds_alternative<std::monostate>(value) ? "unset" : print_value(key, value);
}

Change change_of(const Key& key, std::string name, const Value& from, const Value& to) {
    return {std::move(name), print(key, from), print(key, to), key.reload};
}

// Of a listener that is there before and after.
void add_changes(const Listener& old, const Listener& now, std::vector<Change>& changes) {
    for (const auto& key : keys()) {
        if (!key.is_of_listener() || key.get(old) == key.get(now)) continue;
        changes.push_back(change_of(key, key.full_name() + " of " + now.url.text(), key.get(old), key.get(now)));
    }
}

// The order of listeners means nothing.
void add_changes_of_listeners(const Settings& old, const Settings& now, std::vector<Change>& changes) {
    const auto is_in = [](const Settings& settings) {
        return [&settings](const Listener& listener) { return find_listener(settings, listener.url) != nullptr; };
    };
    const bool same_addresses =
        std::ranges::all_of(old.listeners, is_in(now)) && std::ranges::all_of(now.listeners, is_in(old));
    if (!same_addresses) changes.push_back({"server.listen", urls_of(old), urls_of(now), Reload::Restart});
    for (const auto& listener : now.listeners) {
        if (const auto* before = find_listener(old, listener.url)) add_changes(*before, listener, changes);
    }
}

// What needs a restart, as it was; the rest from `now`, where the listener is there too.
Listener after_reload(Listener listener, const Settings& now) {
    const auto* wanted = find_listener(now, listener.url);
    if (wanted == nullptr) return listener;
    for (const auto& key : keys()) {
        if (key.is_of_listener() && !needs_restart(key)) key.set(listener, key.get(*wanted));
    }
    return listener;
}

}  // namespace

std::vector<Change> changes(const Settings& old, const Settings& now) {
    std::vector<Change> changes;
    add_changes_of_listeners(old, now, changes);
    for (const auto& key : keys()) {
        if (!is_of_server(key) || key.get(old) == key.get(now)) continue;
        changes.push_back(change_of(key, key.full_name(), key.get(old), key.get(now)));
    }
    return changes;
}

Settings after_reload(const Settings& old, const Settings& now) {
    auto settings = now;
    settings.listeners.clear();
    for (const auto& listener : old.listeners) settings.listeners.push_back(after_reload(listener, now));
    for (const auto& key : keys()) {
        if (is_of_server(key) && needs_restart(key)) key.set(settings, key.get(old));
    }
    return settings;
}

}  // namespace chappe::server
