// Paho's asynchronous C client (libpaho-mqtt3a).

#include <MQTTAsync.h>

#include <memory>
#include <string>

#include "driver.h"
#include "properties.h"

namespace {

using paho::Fields;
using paho::Properties;
using paho::report;

constexpr int v5 = MQTTVERSION_5;

Fields connected(const MQTTAsync_successData& data) {
    return Fields{}.add("session_present", data.alt.connect.sessionPresent).add("code", 0L);
}

Fields connected(const MQTTAsync_successData5& data) {
    Fields fields;
    fields.add("session_present", data.alt.connect.sessionPresent).add("code", static_cast<long>(data.reasonCode));
    paho::add_properties(fields, data.properties);
    return fields;
}

class AsyncClient final : public paho::Client {
public:
    explicit AsyncClient(std::string folder) : folder_(std::move(folder)) {}
    ~AsyncClient() override { MQTTAsync_destroy(&handle_); }

    void connect(const Fields& command) override {
        if (handle_ == nullptr) {
            create(command);
        }
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
        MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
        Properties properties(command);
        Properties will_properties(command, "will.");
        const std::string will_topic = command.text("will_topic");
        const std::string will_payload = command.text("will_payload");
        options.MQTTVersion = version_;
        options.keepAliveInterval = command.number("keep_alive", 60);
        options.maxInflight = 100;
        options.automaticReconnect = command.number("automatic_reconnect");
        options.minRetryInterval = 1;
        options.maxRetryInterval = 1;
        options.context = this;
        if (version_ == v5) {
            options.cleansession = 0;
            options.cleanstart = command.number("clean", 1);
            options.connectProperties = properties.get();
            options.onSuccess5 = [](void*, MQTTAsync_successData5* data) { report("connected", connected(*data)); };
            options.onFailure5 = [](void*, MQTTAsync_failureData5* data) { fail(data->reasonCode, data->code); };
        } else {
            options.cleansession = command.number("clean", 1);
            options.onSuccess = [](void*, MQTTAsync_successData* data) { report("connected", connected(*data)); };
            options.onFailure = [](void*, MQTTAsync_failureData* data) { fail(0, data->code); };
        }
        if (command.has("will_topic")) {
            will.topicName = will_topic.c_str();
            will.payload.len = static_cast<int>(will_payload.size());
            will.payload.data = will_payload.data();
            will.qos = command.number("will_qos");
            will.retained = command.number("will_retain");
            options.will = &will;
            options.willProperties = version_ == v5 ? will_properties.get() : nullptr;
        }
        if (const int code = MQTTAsync_connect(handle_, &options); code != MQTTASYNC_SUCCESS) {
            fail(0, code);
        }
    }

    void subscribe(const Fields& command) override {
        Properties properties(command);
        MQTTAsync_responseOptions options = response("subscribed", command);
        options.properties = *properties.get();
        options.subscribeOptions.noLocal = static_cast<unsigned char>(command.number("no_local"));
        options.subscribeOptions.retainAsPublished = static_cast<unsigned char>(command.number("retain_as_published"));
        options.subscribeOptions.retainHandling = static_cast<unsigned char>(command.number("retain_handling"));
        const int code = MQTTAsync_subscribe(handle_, command.text("filter").c_str(), command.number("qos"), &options);
        check("subscribed", code, options);
    }

    void unsubscribe(const Fields& command) override {
        MQTTAsync_responseOptions options = response("unsubscribed", command);
        check("unsubscribed", MQTTAsync_unsubscribe(handle_, command.text("filter").c_str(), &options), options);
    }

    void publish(const Fields& command) override {
        Properties properties(command);
        std::string payload = command.text("payload");
        MQTTAsync_message message = MQTTAsync_message_initializer;
        message.payload = payload.data();
        message.payloadlen = static_cast<int>(payload.size());
        message.qos = command.number("qos");
        message.retained = command.number("retain");
        message.properties = *properties.get();
        MQTTAsync_responseOptions options = response("published", command);
        check("refused", MQTTAsync_sendMessage(handle_, command.text("topic").c_str(), &message, &options), options);
    }

    void disconnect(const Fields& command) override {
        Properties properties(command);
        MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
        options.timeout = command.number("timeout_milliseconds", 1000);
        options.reasonCode = static_cast<MQTTReasonCodes>(command.number("code"));
        options.properties = *properties.get();
        if (version_ == v5) {
            options.onSuccess5 = [](void*, MQTTAsync_successData5*) { report("disconnected"); };
            options.onFailure5 = [](void*, MQTTAsync_failureData5*) { report("disconnected"); };
        } else {
            options.onSuccess = [](void*, MQTTAsync_successData*) { report("disconnected"); };
            options.onFailure = [](void*, MQTTAsync_failureData*) { report("disconnected"); };
        }
        MQTTAsync_disconnect(handle_, &options);
    }

private:
    // What an answer needs to be told from the others; it is deleted by the one callback that comes.
    struct Request {
        std::string event;
        std::string tag;
    };

    void create(const Fields& command) {
        version_ = command.number("version", v5);
        MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
        options.sendWhileDisconnected = 1;
        options.allowDisconnectedSendAtAnyTime = 1;
        options.maxBufferedMessages = 100'000;
        options.MQTTVersion = version_;
        const std::string uri = "tcp://" + command.text("host") + ":" + command.text("port");
        MQTTAsync_createWithOptions(&handle_, uri.c_str(), command.text("id").c_str(), MQTTCLIENT_PERSISTENCE_DEFAULT,
                                    folder_.data(), &options);
        MQTTAsync_setCallbacks(handle_, this, [](void*, char*) { report("lost"); }, &AsyncClient::arrived, nullptr);
        MQTTAsync_setConnected(handle_, this, [](void*, char* cause) {
            if (std::string_view(cause).starts_with("automatic reconnect")) {
                report("reconnected");
            }
        });
        MQTTAsync_setDisconnected(handle_, this, [](void*, MQTTProperties* properties, MQTTReasonCodes code) {
            Fields fields;
            fields.add("code", static_cast<long>(code));
            paho::add_properties(fields, *properties);
            report("ended", fields);
        });
    }

    static int arrived(void*, char* topic, int topic_size, MQTTAsync_message* message) {
        Fields fields;
        fields.add("topic",
                   topic_size > 0 ? std::string(topic, static_cast<std::size_t>(topic_size)) : std::string(topic));
        fields.add("qos", message->qos).add("retain", message->retained).add("dup", message->dup);
        fields.add("payload", std::string(static_cast<const char*>(message->payload),
                                          static_cast<std::size_t>(message->payloadlen)));
        paho::add_properties(fields, message->properties);
        report("message", fields);
        MQTTAsync_freeMessage(&message);
        MQTTAsync_free(topic);
        return 1;
    }

    static void fail(long reason, long code) { report("failed", Fields{}.add("code", reason != 0 ? reason : code)); }

    static void answer(void* context, long code) {
        const std::unique_ptr<Request> request(static_cast<Request*>(context));
        report(request->event, Fields{}.add("tag", request->tag).add("code", code));
    }

    MQTTAsync_responseOptions response(std::string event, const Fields& command) const {
        MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
        options.context = new Request{std::move(event), command.text("tag")};
        if (version_ == v5) {
            options.onSuccess5 = [](void* context, MQTTAsync_successData5* data) { answer(context, data->reasonCode); };
            options.onFailure5 = [](void* context, MQTTAsync_failureData5* data) { answer(context, data->reasonCode); };
        } else {
            options.onSuccess = [](void* context, MQTTAsync_successData* data) {
                answer(context, static_cast<Request*>(context)->event == "subscribed" ? data->alt.qos : 0);
            };
            options.onFailure = [](void* context, MQTTAsync_failureData* data) { answer(context, data->code); };
        }
        return options;
    }

    // A command that was refused at once gets no callback.
    static void check(std::string_view event, int code, const MQTTAsync_responseOptions& options) {
        if (code != MQTTASYNC_SUCCESS) {
            const std::unique_ptr<Request> request(static_cast<Request*>(options.context));
            report(event, Fields{}.add("tag", request->tag).add("code", code));
        }
    }

    MQTTAsync handle_ = nullptr;
    int version_ = v5;
    std::string folder_;
};

}  // namespace

int main(int, char** argv) {
    AsyncClient client(argv[1]);
    return paho::serve(client);
}
