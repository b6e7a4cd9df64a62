#pragma once

// A client program that a test drives over its standard input and output.
//
// Both carry lines: a word and then fields, NAME=VALUE with percent-encoded values, in order and possibly repeated.
// A command is answered by an event; what comes by itself (messages, a lost connection) is an event too.
//
//   connect host port id version clean keep_alive automatic_reconnect will_topic will_payload will_qos will_retain
//   PROPERTIES
//                                      -> connected session_present code PROPERTIES | failed code
//   subscribe filter qos PROPERTIES    -> subscribed code
//   unsubscribe filter                 -> unsubscribed code
//   publish topic qos retain payload tag PROPERTIES -> published tag code | refused tag code
//   disconnect code PROPERTIES         -> disconnected
//   events: message topic qos retain dup payload PROPERTIES; lost; ended code (the server's DISCONNECT)
//
// Properties are named as in the standard, in snake_case; those of the will begin with "will.". A user property's value
// is its own name and value, each percent-encoded once more, with a colon between them.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paho {

class Fields {
public:
    Fields& add(std::string name, std::string value);
    Fields& add(std::string name, long value);

    [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = "") const;
    [[nodiscard]] int number(std::string_view name, int otherwise = 0) const;
    [[nodiscard]] bool has(std::string_view name) const;

    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

[[nodiscard]] std::string encode(std::string_view bytes);
[[nodiscard]] std::string decode(std::string_view text);

// Writes one line, from whichever thread.
void report(std::string_view event, const Fields& fields = {});

// What a program does on each command.
class Client {
public:
    virtual ~Client() = default;
    virtual void connect(const Fields& command) = 0;
    virtual void subscribe(const Fields& command) = 0;
    virtual void unsubscribe(const Fields& command) = 0;
    virtual void publish(const Fields& command) = 0;
    virtual void disconnect(const Fields& command) = 0;
};

// Carries out the commands of standard input until it ends. argv[1] is the folder for the client's persistence.
int serve(Client& client);

}  // namespace paho
