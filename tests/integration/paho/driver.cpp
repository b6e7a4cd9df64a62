#include "driver.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>

namespace paho {

Fields& Fields::add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
    return *this;
}

Fields& Fields::add(std::string name, long value) { return add(std::move(name), std::to_string(value)); }

std::string Fields::text(std::string_view name, std::string_view otherwise) const {
    const auto found =
        std::ranges::find(fields_, name, [](const auto& field) -> std::string_view { return field.first; });
    return found == fields_.end() ? std::string(otherwise) : found->second;
}

int Fields::number(std::string_view name, int otherwise) const {
    return has(name) ? std::atoi(text(name).c_str()) : otherwise;
}

bool Fields::has(std::string_view name) const {
    return std::ranges::any_of(fields_, [&](const auto& field) { return field.first == name; });
}

std::string encode(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '/' || c == '-' || c == '_' || c == '.') {
            out += c;
        } else {
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

std::string decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void report(std::string_view event, const Fields& fields) {
    std::string line(event);
    for (const auto& [name, value] : fields.all()) {
        line += " " + name + "=" + encode(value);
    }
    line += "\n";
    static std::mutex mutex;
    const std::scoped_lock lock(mutex);
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

namespace {

Fields parse_fields(std::istringstream& in) {
    Fields fields;
    for (std::string word; in >> word;) {
        const auto equals = word.find('=');
        fields.add(word.substr(0, equals), decode(std::string_view(word).substr(equals + 1)));
    }
    return fields;
}

bool obey(Client& client, const std::string& command, const Fields& fields) {
    if (command == "connect") {
        client.connect(fields);
    } else if (command == "subscribe") {
        client.subscribe(fields);
    } else if (command == "unsubscribe") {
        client.unsubscribe(fields);
    } else if (command == "publish") {
        client.publish(fields);
    } else if (command == "disconnect") {
        client.disconnect(fields);
    } else {
        return false;
    }
    return true;
}

}  // namespace

int serve(Client& client) {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream in(line);
        std::string command;
        in >> command;
        if (!obey(client, command, parse_fields(in))) {
            std::cerr << "unknown command: " << command << "\n";
            return 2;
        }
    }
    return 0;
}

}  // namespace paho
