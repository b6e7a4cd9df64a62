// Paho's synchronous C client (libpaho-mqtt3c), with a callback for messages.

#include <MQTTClient.h>

#include <map>
#include <mutex>
#include <string>

#include "driver.h"
#include "properties.h"

namespace {

using paho::Fields;
using paho::Properties;
using paho::report;

constexpr int v5 = MQTTVERSION_5;

// Which command each delivery token stands for. The acknowledgement may come, in another thread, before the token is
// known.
class Outstanding {
public:
    void sent(MQTTClient_deliveryToken token, std::string tag) {
        std::unique_lock lock(mutex_);
        if (const auto early = acknowledged_.extract(token); !early.empty()) {
            lock.unlock();
            say(tag, early.mapped());
        } else {
            tags_[token] = std::move(tag);
        }
    }

    void acknowledged(MQTTClient_deliveryToken token, long code) {
        std::unique_lock lock(mutex_);
        if (const auto known = tags_.extract(token); !known.empty()) {
            lock.unlock();
            say(known.mapped(), code);
        } else {
            acknowledged_[token] = code;
        }
    }

private:
    static void say(const std::string& tag, long code) {
        report("published", Fields{}.add("tag", tag).add("code", code));
    }

    std::mutex mutex_;
    std::map<MQTTClient_deliveryToken, std::string> tags_;
    std::map<MQTTClient_deliveryToken, long> acknowledged_;
};

class SyncClient final : public paho::Client {
public:
    explicit SyncClient(std::string folder) : folder_(std::move(folder)) {}
    ~SyncClient() override { MQTTClient_destroy(&handle_); }

    void connect(const Fields& command) override {
        if (handle_ == nullptr) {
            create(command);
        }
        Properties properties(command);
        Properties will_properties(command, "will.");
        const std::string will_topic = command.text("will_topic");
        const std::string will_payload = command.text("will_payload");
        MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
        options.MQTTVersion = version_;
        options.keepAliveInterval = command.number("keep_alive", 60);
        options.reliable = 0;
        options.maxInflightMessages = 100;
        options.cleansession = version_ == v5 ? 0 : command.number("clean", 1);
        options.cleanstart = version_ == v5 ? command.number("clean", 1) : 0;
        if (command.has("will_topic")) {
            will.topicName = will_topic.c_str();
            will.payload.len = static_cast<int>(will_payload.size());
            will.payload.data = will_payload.data();
            will.qos = command.number("will_qos");
            will.retained = command.number("will_retain");
            options.will = &will;
        }
        version_ == v5 ? connect_5(options, properties, will_properties) : connect_3(options);
    }

    void subscribe(const Fields& command) override {
        const std::string filter = command.text("filter");
        int code = 0;
        if (version_ == v5) {
            Properties properties(command);
            MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
            options.noLocal = static_cast<unsigned char>(command.number("no_local"));
            options.retainAsPublished = static_cast<unsigned char>(command.number("retain_as_published"));
            options.retainHandling = static_cast<unsigned char>(command.number("retain_handling"));
            code = finish(
                MQTTClient_subscribe5(handle_, filter.c_str(), command.number("qos"), &options, properties.get()));
        } else {
            // The granted QoS is not to be had here: success is told as what was asked for.
            const int result = MQTTClient_subscribe(handle_, filter.c_str(), command.number("qos"));
            code = result == MQTTCLIENT_SUCCESS ? command.number("qos") : result;
        }
        report("subscribed", Fields{}.add("tag", command.text("tag")).add("code", code));
    }

    void unsubscribe(const Fields& command) override {
        const std::string filter = command.text("filter");
        const int code = version_ == v5 ? finish(MQTTClient_unsubscribe5(handle_, filter.c_str(), nullptr))
                                        : MQTTClient_unsubscribe(handle_, filter.c_str());
        report("unsubscribed", Fields{}.add("tag", command.text("tag")).add("code", code));
    }

    void publish(const Fields& command) override {
        Properties properties(command);
        const std::string topic = command.text("topic");
        std::string payload = command.text("payload");
        MQTTClient_message message = MQTTClient_message_initializer;
        message.payload = payload.data();
        message.payloadlen = static_cast<int>(payload.size());
        message.qos = command.number("qos");
        message.retained = command.number("retain");
        message.properties = *properties.get();
        MQTTClient_deliveryToken token = 0;
        const int code = version_ == v5 ? finish(MQTTClient_publishMessage5(handle_, topic.c_str(), &message, &token))
                                        : MQTTClient_publishMessage(handle_, topic.c_str(), &message, &token);
        if (code != MQTTCLIENT_SUCCESS) {
            report("refused", Fields{}.add("tag", command.text("tag")).add("code", code));
        } else if (message.qos == 0) {
            report("published", Fields{}.add("tag", command.text("tag")).add("code", 0L));
        } else {
            outstanding_.sent(token, command.text("tag"));
        }
    }

    void disconnect(const Fields& command) override {
        Properties properties(command);
        const int timeout = command.number("timeout_milliseconds", 1000);
        if (version_ == v5) {
            MQTTClient_disconnect5(handle_, timeout, static_cast<MQTTReasonCodes>(command.number("code")),
                                   properties.get());
        } else {
            MQTTClient_disconnect(handle_, timeout);
        }
        report("disconnected");
    }

private:
    void create(const Fields& command) {
        version_ = command.number("version", v5);
        MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
        options.MQTTVersion = version_;
        const std::string uri = "tcp://" + command.text("host") + ":" + command.text("port");
        MQTTClient_createWithOptions(&handle_, uri.c_str(), command.text("id").c_str(), MQTTCLIENT_PERSISTENCE_DEFAULT,
                                     folder_.data(), &options);
        MQTTClient_setCallbacks(
            handle_, this, [](void*, char*) { report("lost"); }, &SyncClient::arrived, &SyncClient::delivered);
        MQTTClient_setPublished(handle_, this, &SyncClient::published);
        MQTTClient_setDisconnected(handle_, this, [](void*, MQTTProperties* properties, MQTTReasonCodes code) {
            Fields fields;
            fields.add("code", static_cast<long>(code));
            paho::add_properties(fields, *properties);
            report("ended", fields);
        });
    }

    void connect_3(MQTTClient_connectOptions& options) {
        const int code = MQTTClient_connect(handle_, &options);
        if (code == MQTTCLIENT_SUCCESS) {
            report("connected", Fields{}.add("session_present", options.returned.sessionPresent).add("code", 0L));
        } else {
            report("failed", Fields{}.add("code", code));
        }
    }

    void connect_5(MQTTClient_connectOptions& options, Properties& properties, Properties& will_properties) {
        MQTTResponse response = MQTTClient_connect5(handle_, &options, properties.get(),
                                                    options.will != nullptr ? will_properties.get() : nullptr);
        Fields fields;
        fields.add("session_present", options.returned.sessionPresent)
            .add("code", static_cast<long>(response.reasonCode));
        if (response.properties != nullptr) {
            paho::add_properties(fields, *response.properties);
        }
        report(response.reasonCode == MQTTREASONCODE_SUCCESS ? "connected" : "failed", fields);
        MQTTResponse_free(response);
    }

    static int arrived(void*, char* topic, int topic_size, MQTTClient_message* message) {
        Fields fields;
        fields.add("topic",
                   topic_size > 0 ? std::string(topic, static_cast<std::size_t>(topic_size)) : std::string(topic));
        fields.add("qos", message->qos).add("retain", message->retained).add("dup", message->dup);
        fields.add("payload", std::string(static_cast<const char*>(message->payload),
                                          static_cast<std::size_t>(message->payloadlen)));
        paho::add_properties(fields, message->properties);
        report("message", fields);
        MQTTClient_freeMessage(&message);
        MQTTClient_free(topic);
        return 1;
    }

    // 3.1.1 only; 5.0 has published().
    static void delivered(void* self, MQTTClient_deliveryToken token) {
        static_cast<SyncClient*>(self)->outstanding_.acknowledged(token, 0);
    }

    static void published(void* self, int token, int, MQTTProperties*, MQTTReasonCodes code) {
        static_cast<SyncClient*>(self)->outstanding_.acknowledged(token, code);
    }

    static int finish(MQTTResponse response) {
        const int code = response.reasonCode;
        MQTTResponse_free(response);
        return code;
    }

    MQTTClient handle_ = nullptr;
    int version_ = v5;
    std::string folder_;
    Outstanding outstanding_;
};

}  // namespace

int main(int, char** argv) {
    SyncClient client(argv[1]);
    return paho::serve(client);
}
