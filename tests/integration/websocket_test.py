"""MQTT over WebSocket, and MQTT itself on the same port, with the clients that people have and with raw sockets."""

import base64
import hashlib
import os
import signal
import socket
import ssl
import unittest

from support import limits, packets
from support.case import BrokerCase
from support.driver import MQTT_JS, Driver
from support.paho_client import V5, V311, PahoClient
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

MIB = 1024 * 1024
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FINAL = 0x80
CONNACK = b"\x20\x02\x00\x00"


class RawWebSocket:
    """A client that can do everything wrong."""

    def __init__(self, stream):
        self.stream, self.bytes = stream, b""

    def ask(self, **changes):
        """Sends a request and returns the status."""
        self.stream.sendall(self.request(**changes))
        return self.status()

    def request(self, method="GET", path="/mqtt", version="HTTP/1.1", **changes):
        """In which fields can be changed or (None) left out."""
        self.key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Protocol": "mqtt"}
        fields |= {name.replace("_", "-"): value for name, value in changes.items()}
        lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
        return "\r\n".join([*lines, "", ""]).encode()

    def status(self):
        """Of the answer, whose fields are kept."""
        while b"\r\n\r\n" not in self.bytes:
            self._read()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        self.fields = dict(line.split(": ", 1) for line in lines)
        return int(first.split(" ")[1])

    def _read(self):
        found = self.stream.recv(65536)
        if not found:
            raise EOFError
        self.bytes += found

    def take(self, size):
        while len(self.bytes) < size:
            self._read()
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return taken

    def rest(self):
        """All until the server ends the connection."""
        try:
            while True:
                self._read()
        except EOFError:
            return self.bytes

    def send(self, first, payload=b""):
        self.stream.sendall(self.frame(first, payload))

    @staticmethod
    def frame(first, payload=b""):
        size = len(payload)
        length = (bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big") if size < 65536
                  else b"\xff" + size.to_bytes(8, "big"))
        mask = os.urandom(4)
        return bytes([first]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))

    def receive(self):
        """First byte and payload of the next frame."""
        first, size = self.take(2)
        assert size <= 126, "a server does not mask, nor send long frames"
        if size == 126:
            size = int.from_bytes(self.take(2), "big")
        return first, self.take(size)

    def close_code(self):
        """That of the Close frame that comes next; then the connection ends."""
        first, payload = self.receive()
        assert first == FINAL | CLOSE, first
        self.stream.shutdown(socket.SHUT_WR)
        assert self.rest() == b""
        return int.from_bytes(payload[:2], "big") if payload else None


class WebCase(BrokerCase):
    def setUp(self):
        self.server = self.start_server(listen=["http://127.0.0.1:0"], flags=self.flags())

    def flags(self):
        return []

    def socket(self):
        stream = socket.create_connection((self.server.host, self.server.port), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        return stream

    def raw(self):
        return RawWebSocket(self.socket())

    def opened(self):
        raw = self.raw()
        self.assertEqual(raw.ask(), 101)
        return raw

    def accepted(self):
        """After CONNECT."""
        raw = self.opened()
        raw.send(FINAL | BINARY, packets.connect("raw", version=4))
        self.assertEqual(raw.receive(), (FINAL | BINARY, CONNACK))
        return raw

    def wait_event(self, kind, **fields):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == kind and fields.items() <= event.items()), None)

        return self.server.process.wait_for(found, what=kind)


def large(size=MIB):
    return bytes(at % 251 for at in range(size))


@unlike_mosquitto("listens for WebSocket in another way")
class ClientTest(WebCase):
    def exchange(self, subscriber, publisher):
        subscriber.subscribe("t/#", qos=2)
        for qos in (0, 1, 2):
            publisher.publish(f"t/{qos}", b"%d" % qos, qos=qos)
        publisher.publish("t/large", large(), qos=1)
        return subscriber.take(4, limits.BULK_SECONDS)

    def test_mqtt_js(self):
        for version in (4, 5):
            with self.subTest(version=version):
                client = Driver(self, MQTT_JS, id="js", version=version, protocol="ws", path="/mqtt")
                self.assertEqual(client.connect().kind, "connected")
                messages = self.exchange(client, client)
                self.assertEqual([message.bytes("payload") for message in messages], [b"0", b"1", b"2", large()])
                client.disconnect()

    def test_paho(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                client = PahoClient(self, "paho", version=version, transport="websockets").connect()
                messages = self.exchange(client, client)
                self.assertEqual([message.payload for message in messages], [b"0", b"1", b"2", large()])
                client.disconnect()

    def test_mqtt_on_the_same_port(self):
        through_http = PahoClient(self, "ws", transport="websockets").connect()
        direct = PahoClient(self, "direct").connect()
        through_http.subscribe("t", qos=1)
        direct.subscribe("t", qos=1)
        direct.publish("t", b"to both", qos=1)
        for client in (through_http, direct):
            self.assertEqual(client.take(1)[0].payload, b"to both")

    def test_many_clients_on_all_shards(self):
        clients = [PahoClient(self, f"client-{number}", transport="websockets").connect() for number in range(12)]
        for client in clients:
            client.subscribe("all", qos=1)
        clients[0].publish("all", b"x", qos=1)
        for client in clients:
            client.take(1)

    def test_a_client_that_reads_late_gets_everything(self):
        raw = self.accepted()
        raw.send(FINAL | BINARY, packets.packet(packets.SUBSCRIBE, 2, b"\0\1" + packets.text("t") + b"\0"))
        self.assertEqual(raw.receive()[1], b"\x90\x03\x00\x01\x00")
        publisher = PahoClient(self, "publisher").connect()
        sent = [large(200_000) for _ in range(20)]
        for payload in sent:
            publisher.publish("t", payload, qos=1)
        raw.send(FINAL | PING, b"in between")
        content, pongs = b"", []
        while len(packets.split_packets(content)[0]) < len(sent) or not pongs:
            first, payload = raw.receive()
            if first == FINAL | BINARY:
                content += payload
            else:
                pongs.append((first, payload))
        self.assertEqual(pongs, [(FINAL | PONG, b"in between")])
        found, rest = packets.split_packets(content)
        self.assertEqual(rest, b"")
        self.assertEqual([packet.body[3:] for packet in found], sent)


@unlike_mosquitto("listens for WebSocket in another way")
class HandshakeTest(WebCase):
    def test_what_is_granted(self):  # [MQTT-6.0.0-4] [MQTT3-6.0.0-4]
        raw = self.raw()
        self.assertEqual(raw.ask(Sec_WebSocket_Protocol="chat, mqtt"), 101)
        digest = hashlib.sha1((raw.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.assertEqual(raw.fields["Sec-WebSocket-Accept"], base64.b64encode(digest).decode())
        self.assertEqual(raw.fields["Sec-WebSocket-Protocol"], "mqtt")
        self.assertNotIn("Sec-WebSocket-Extensions", raw.fields)
        old = self.raw()
        self.assertEqual(old.ask(Sec_WebSocket_Protocol="mqttv3.1"), 101)
        self.assertEqual(old.fields["Sec-WebSocket-Protocol"], "mqttv3.1")

    def test_what_is_refused(self):
        refusals = [(404, {"path": "/"}), (404, {"path": "/mqtt/x"}), (405, {"method": "POST"}), (505, {"version": "HTTP/1.0"}),
                    (400, {"Host": None}), (426, {"Upgrade": None}), (426, {"Connection": "close"}),
                    (426, {"Sec_WebSocket_Version": "8"}), (400, {"Sec_WebSocket_Key": "short"}),
                    (400, {"Sec_WebSocket_Protocol": None}), (400, {"Sec_WebSocket_Protocol": "chat"}),
                    (403, {"Origin": "https://evil.example"}), (400, {"Content_Length": "5"}), (431, {"X": "x" * 20_000})]
        for code, change in refusals:
            with self.subTest(code=code, change=str(change)[:50]):
                raw = self.raw()
                self.assertEqual(raw.ask(**change), code)
                self.assertTrue(raw.fields["Connection"].startswith("close"))
                self.assertEqual(len(raw.rest()), int(raw.fields["Content-Length"]))
        reason = self.wait_event("connect_refused")["reason"]
        self.assertIn("HTTP 404: There is nothing here", reason)

    def test_what_is_neither(self):
        for junk in (b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n\r\n", b"\0\0\0\0", b"\x20\x02\x00\x00"):
            raw = self.raw()
            raw.stream.sendall(junk)
            self.assertTrue(raw.rest().startswith(b"HTTP/1.1 400 "), junk)

    def test_origins(self):
        self.assertEqual(self.raw().ask(Origin="http://localhost"), 101)
        self.assertEqual(self.raw().ask(Origin="http://rebound.example", Host="rebound.example"), 403)

    def test_a_request_in_pieces_and_packets_that_follow_at_once(self):
        raw = self.raw()
        raw.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = raw.request()
        for at in range(len(request) - 1):
            raw.stream.sendall(request[at : at + 1])
        raw.stream.sendall(request[-1:] + raw.frame(FINAL | BINARY, packets.connect("quick", version=4)))
        self.assertEqual(raw.status(), 101)
        self.assertEqual(raw.receive(), (FINAL | BINARY, CONNACK))


@unlike_mosquitto("listens for WebSocket in another way")
class FrameTest(WebCase):
    def test_packets_begin_and_end_anywhere(self):  # [MQTT-6.0.0-2] [MQTT3-6.0.0-2]
        raw = self.opened()
        data = packets.connect("raw", version=4) + b"\xc0\x00" * 3
        for at in range(len(data) - 2):
            raw.send(BINARY if at == 0 else CONTINUATION, data[at : at + 1])
        raw.send(FINAL | CONTINUATION, data[-2:])
        content = b""
        while len(content) < 10:
            content += raw.receive()[1]
        self.assertEqual(content, CONNACK + b"\xd0\x00" * 3)

    def test_a_text_frame_ends_the_connection(self):  # [MQTT-6.0.0-1] [MQTT3-6.0.0-1]
        raw = self.accepted()
        raw.send(FINAL | TEXT, b"hello")
        self.assertEqual(raw.close_code(), 1003)

    def test_violations_end_the_connection(self):
        for name, data in {"not masked": b"\x82\x02\xc0\x00", "reserved bit": RawWebSocket.frame(0xC2, b"\xc0\x00"),
                           "opcode": RawWebSocket.frame(0x83), "length": b"\x82\xfe\x00\x02mask\xc0\x00",
                           "continuation": RawWebSocket.frame(0x80), "ping": RawWebSocket.frame(0x09),
                           "close": RawWebSocket.frame(0x88, b"\x03\xed")}.items():
            with self.subTest(name):
                raw = self.accepted()
                raw.stream.sendall(data)
                self.assertEqual(raw.close_code(), 1002)

    def test_a_violation_before_connect_is_in_the_log(self):
        raw = self.opened()
        raw.send(FINAL | TEXT, b"hello")
        self.assertEqual(raw.close_code(), 1003)
        self.assertIn("WebSocket: MQTT needs binary frames", self.wait_event("connect_refused")["reason"])

    def test_closing(self):
        raw = self.accepted()
        raw.send(FINAL | CLOSE, b"\x03\xe9bye")
        self.assertEqual(raw.close_code(), 1001)

    def test_disconnect_closes_the_websocket(self):
        raw = self.accepted()
        raw.send(FINAL | BINARY, packets.packet(packets.DISCONNECT, 0, b""))
        self.assertEqual(raw.close_code(), 1000)

    def test_the_brokers_shutdown_closes_the_websocket(self):
        raw = self.accepted()
        self.server.process.signal(signal.SIGTERM)
        self.assertEqual(raw.close_code(), 1001)
        self.assertEqual(self.server.process.finish(limits.STOP_SECONDS), 0)

    def test_a_will_is_published_when_the_websocket_closes(self):
        watcher = PahoClient(self, "watcher").connect()
        watcher.subscribe("will", qos=1)
        raw = self.opened()
        raw.send(FINAL | BINARY, packets.connect("mortal", version=4, will=("will", "gone")))
        self.assertEqual(raw.receive()[1], CONNACK)
        raw.send(FINAL | CLOSE, b"\x03\xe8")
        self.assertEqual(watcher.take(1)[0].payload, b"gone")

    def test_pings(self):
        raw = self.accepted()
        raw.send(FINAL | PING, b"x" * 125)
        self.assertEqual(raw.receive(), (FINAL | PONG, b"x" * 125))


@unlike_mosquitto("knows no trusted proxies")
class ProxyTest(WebCase):
    trusting = ["--set", "server.trusted_proxies=127.0.0.0/8"]

    def flags(self):
        return [*self.trusting, "--allow-anonymous", "--set", "web.origins=https://app.example"]

    def test_the_clients_address(self):
        raw = self.raw()
        self.assertEqual(raw.ask(X_Forwarded_For="198.51.100.1, 203.0.113.7"), 101)
        raw.send(FINAL | BINARY, packets.connect("far-away", version=4))
        raw.receive()
        event = self.wait_event("client_connected", client="far-away")
        self.assertEqual(event["address"], "203.0.113.7")

    def test_a_loopback_address_lets_nobody_from_elsewhere_in(self):
        self.server = self.start_server(listen=["http://127.0.0.1:0"], flags=self.trusting)
        raw = self.raw()
        self.assertEqual(raw.ask(X_Forwarded_For="203.0.113.7"), 101)
        raw.send(FINAL | BINARY, packets.connect("far-away", version=4))
        self.assertEqual(raw.receive(), (FINAL | BINARY, b"\x20\x02\x00\x05"))
        self.wait_event("connect_refused", client="far-away", address="203.0.113.7")

    def test_a_reload_changes_who_may_connect(self):
        config = os.path.join(self.scratch_folder(), "chappe.toml")
        for origins in ('["https://one.example"]', '["https://two.example"]'):
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"[web]\norigins = {origins}\n")
            if "one" in origins:
                self.server = self.start_server(listen=["http://127.0.0.1:0"], flags=["--config", config])
                self.assertEqual(self.raw().ask(Origin="https://one.example"), 101)
        self.server.process.signal(signal.SIGHUP)
        self.wait_event("reloaded")
        self.assertEqual(self.raw().ask(Origin="https://one.example"), 403)
        self.assertEqual(self.raw().ask(Origin="https://two.example"), 101)

    def test_an_origin_that_is_listed(self):
        self.assertEqual(self.raw().ask(Origin="https://app.example"), 101)
        self.assertEqual(self.raw().ask(Origin="https://other.example"), 403)


@unlike_mosquitto("is not set up with certificates here")
class EncryptedTest(WebCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        process = Process([chappe_command(), "cert", "--dir", self.folder, "--name", "localhost", "--name", "127.0.0.1"])
        self.assertEqual(process.finish(), 0)
        own = ["--tls-certificate", self.file("server.pem"), "--tls-key", self.file("server.key")]
        self.server = self.start_server(listen=["https://127.0.0.1:0"], flags=own)

    def file(self, name):
        return os.path.join(self.folder, name)

    def context(self, *protocols):
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if protocols:
            context.set_alpn_protocols(protocols)
        return context

    def socket(self, *protocols):
        stream = self.context(*protocols).wrap_socket(super().socket(), server_hostname="localhost")
        self.addCleanup(stream.close)
        return stream

    def test_mqtt_js(self):
        client = Driver(self, MQTT_JS, id="js", protocol="wss", path="/mqtt", ca=self.file("ca.pem"))
        self.assertEqual(client.connect().kind, "connected")
        client.subscribe("t", qos=1)
        client.publish("t", large(), qos=1)
        self.assertEqual(client.take(1, limits.BULK_SECONDS)[0].bytes("payload"), large())
        client.disconnect()

    def test_paho(self):
        client = PahoClient(self, "paho", transport="websockets", tls=self.context()).connect()
        client.subscribe("t", qos=1)
        client.publish("t", large(), qos=1)
        self.assertEqual(client.take(1, limits.BULK_SECONDS)[0].payload, large())
        client.disconnect()

    def test_what_alpn_says(self):
        for offered, chosen in (((), None), (("mqtt",), "mqtt"), (("h2", "http/1.1"), "http/1.1")):
            with self.subTest(offered):
                stream = self.socket(*offered)
                self.assertEqual(stream.selected_alpn_protocol(), chosen)
                stream.sendall(packets.connect("direct", version=4))
                self.assertEqual(stream.recv(4), CONNACK)
        for offered in ((), ("http/1.1",)):
            raw = RawWebSocket(self.socket(*offered))
            self.assertEqual(raw.ask(), 101)
        with self.assertRaises(ssl.SSLError):
            self.socket("h2")

    def test_who_settled_for_mqtt_gets_no_http(self):
        stream = self.socket("mqtt")
        stream.sendall(b"GET /mqtt HTTP/1.1\r\n\r\n")
        self.assertFalse(stream.recv(100).startswith(b"HTTP"))

    def test_a_page_of_the_same_host(self):
        self.assertEqual(self.raw().ask(Origin="https://broker.example", Host="broker.example"), 101)
        self.assertEqual(self.raw().ask(Origin="https://evil.example", Host="broker.example"), 403)

    def test_refusals_and_close_codes(self):
        raw = self.raw()
        self.assertEqual(raw.ask(path="/"), 404)
        self.assertEqual(len(raw.rest()), int(raw.fields["Content-Length"]))
        raw = self.accepted()
        raw.send(FINAL | TEXT, b"x")
        first, payload = raw.receive()
        self.assertEqual((first, payload[:2]), (FINAL | CLOSE, b"\x03\xeb"))


if __name__ == "__main__":
    unittest.main()
