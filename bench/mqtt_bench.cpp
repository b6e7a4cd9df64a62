// What a PUBLISH costs in the codec: finding, decoding and encoding it.

#include <string>

#include <benchmark/benchmark.h>

#include "mqtt/decoder.h"
#include "mqtt/encoder.h"
#include "mqtt/topic.h"

namespace {

using namespace chappe;
using namespace chappe::mqtt;

constexpr std::string_view topic = "factory/hall2/press17/temperature";

Publish plain_publish(std::string_view payload) {
    return {.qos = QoS::AtLeastOnce, .topic = topic, .packet_id = {1}, .payload = as_bytes(payload)};
}

Publish publish_with_properties(std::string_view payload) {
    auto publish = plain_publish(payload);
    publish.properties = {.message_expiry_interval_seconds = 3600,
                          .content_type = "application/json",
                          .user_properties = {{"unit", "celsius"}, {"device", "press17"}}};
    return publish;
}

void decode_publish(benchmark::State& state, const Publish& publish, ProtocolVersion version) {
    Buffer buffer;
    encode(publish, version, buffer);
    Publish out;
    for (auto _ : state) {
        const auto found = frame(buffer.bytes(), packet_size_limit);
        const auto result = decode(**found, version, Sender::Client, out);
        benchmark::DoNotOptimize(result.has_value());
        benchmark::DoNotOptimize(out);
    }
}

void encode_publish(benchmark::State& state, const Publish& publish, ProtocolVersion version) {
    Buffer buffer;
    for (auto _ : state) {
        buffer.clear();
        encode(publish, version, buffer);
        benchmark::DoNotOptimize(buffer.data());
    }
}

void decode_plain(benchmark::State& state) { decode_publish(state, plain_publish("21.5"), ProtocolVersion::V5); }
void decode_v311(benchmark::State& state) { decode_publish(state, plain_publish("21.5"), ProtocolVersion::V311); }
void decode_properties(benchmark::State& state) {
    decode_publish(state, publish_with_properties("21.5"), ProtocolVersion::V5);
}
void encode_plain(benchmark::State& state) { encode_publish(state, plain_publish("21.5"), ProtocolVersion::V5); }
void encode_v311(benchmark::State& state) { encode_publish(state, plain_publish("21.5"), ProtocolVersion::V311); }
void encode_properties(benchmark::State& state) {
    encode_publish(state, publish_with_properties("21.5"), ProtocolVersion::V5);
}

void encode_head(benchmark::State& state) {
    const PublishHead head{.qos = QoS::AtLeastOnce, .topic = topic, .payload_size = 4};
    Buffer buffer;
    for (auto _ : state) {
        buffer.clear();
        benchmark::DoNotOptimize(encode(head, ProtocolVersion::V5, buffer));
    }
}

void decode_puback(benchmark::State& state) {
    Buffer buffer;
    encode(PubAck{.packet_id = {1}}, ProtocolVersion::V5, buffer);
    for (auto _ : state) {
        const auto found = frame(buffer.bytes(), packet_size_limit);
        benchmark::DoNotOptimize(decode(**found, ProtocolVersion::V5, Sender::Client).has_value());
    }
}

void encode_puback(benchmark::State& state) {
    Buffer buffer;
    const PubAck puback{.packet_id = {1}};
    for (auto _ : state) {
        buffer.clear();
        encode(puback, ProtocolVersion::V5, buffer);
        benchmark::DoNotOptimize(buffer.data());
    }
}

void validate_utf8(benchmark::State& state) {
    const std::string text(static_cast<std::size_t>(state.range(0)), 'a');
    for (auto _ : state) benchmark::DoNotOptimize(is_valid_utf8(text));
}

}  // namespace

BENCHMARK(decode_plain);
BENCHMARK(decode_v311);
BENCHMARK(decode_properties);
BENCHMARK(encode_plain);
BENCHMARK(encode_v311);
BENCHMARK(encode_properties);
BENCHMARK(encode_head);
BENCHMARK(decode_puback);
BENCHMARK(encode_puback);
BENCHMARK(validate_utf8)->Arg(8)->Arg(33)->Arg(1024);

BENCHMARK_MAIN();
