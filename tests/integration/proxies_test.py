"""Behind Debian's nginx and haproxy, as docs/proxies.md sets them up, and behind proxies that do something wrong."""

import os
import signal
import socket
import ssl
import struct
import unittest

from support import limits, packets, ports
from support.case import BrokerCase
from support.driver import MQTT_JS, Driver
from support.mosquitto_tools import Subscriber, publish, run
from support.polling import ask_until
from support.process import Process
from support.reverse_proxies import Haproxy, Nginx, recipe
from support.server import chappe_command, unlike_mosquitto

CONNACK = b"\x20\x02\x00\x00"
CLIENT = "127.0.0.5"  # From where clients come, so that they are told from the proxy, at 127.0.0.1.
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n"
ADDRESSES = socket.inet_aton("203.0.113.7") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 56324, 443)


def field(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def tls_field(name, client=7, verify=0):
    return field(0x20, struct.pack("!BI", client, verify) + field(0x21, b"TLSv1.3") + field(0x22, name))


def header(rest=ADDRESSES, command=0x21, family=0x11):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(rest)) + rest


class ProxyCase(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.inner = ports.free_port()  # Where the broker listens.
        self.outer = ports.free_port()  # Where the proxy does.

    def file(self, name):
        return os.path.join(self.folder, name)

    def make_certificates(self, *options):
        names = ["--name", "localhost", "--name", "127.0.0.1"]
        process = Process([chappe_command(), "cert", "--dir", self.folder, *(options or names)])
        self.assertEqual(process.finish(), 0, process.report())

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.file(name)

    def serve(self, config, *flags):
        config = self.write("chappe.toml", config)
        self.server = self.start_server(listen=(), flags=["--config", config, *flags])

    def wait_event(self, kind, **fields):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == kind and fields.items() <= event.items()), None)

        return self.server.process.wait_for(found, what=f"{kind} {fields}")

    def where(self, *options):
        """Through the proxy, from an address of one's own."""
        return ["-h", "localhost", "-p", str(self.outer), "-A", CLIENT, "--cafile", self.file("ca.pem"), *options]

    def check_tools(self, *options):
        """mosquitto_sub and mosquitto_pub through the proxy, and what the log says of them."""
        subscriber = Subscriber(self, "-q", "1", "-i", "sub", topics=["t"], where=self.where(*options))
        publish(self, "-q", "1", "-i", "pub", "-t", "t", "-m", "x" * 100_000, where=self.where(*options))
        self.assertEqual(subscriber.messages(1)[0].payload, b"x" * 100_000)
        for name in ("sub", "pub"):
            address, _, port = self.wait_event("client_connected", client=name)["address"].rpartition(":")
            self.assertEqual(address, CLIENT)
            self.assertNotEqual(int(port), 0)

    def check_restart(self, proxy, **how):
        """A client that connects again when its connection is lost."""
        client = Driver(self, MQTT_JS, where=proxy, id="js", ca=self.file("ca.pem"), **how)
        self.assertEqual(client.connect().kind, "connected")
        self.check_exchange(client, 1)
        client.reconnect_from_now_on()
        proxy.restart()
        client.wait(lambda: client.count("connected") == 2, "second connection")
        client.reconnect_no_more()
        self.check_exchange(client, 2)

    def check_exchange(self, client, count):
        client.subscribe("t", qos=1)
        client.publish("t", b"x" * 100_000, qos=1)
        self.assertEqual(client.take(count, limits.BULK_SECONDS)[-1].bytes("payload"), b"x" * 100_000)


@unlike_mosquitto("is not set up behind proxies here")
class NginxWebSocketTest(ProxyCase):
    def test_mqtt_js(self):
        self.make_certificates()
        self.serve(recipe("nginx: WebSocket", "toml", {"127.0.0.1:8080": f"127.0.0.1:{self.inner}"}), "--allow-anonymous")
        proxy = Nginx(self, self.folder, self.outer, recipe("nginx: WebSocket", "nginx", {
            "listen 443": f"listen 127.0.0.1:{self.outer}", "/etc/nginx/broker.pem": self.file("server.pem"),
            "/etc/nginx/broker.key": self.file("server.key"), "127.0.0.1:8080": f"127.0.0.1:{self.inner}"}))
        self.check_restart(proxy, protocol="wss", path="/mqtt")
        self.check_addresses()

    def ask(self, source, **fields):
        """A request for a WebSocket; the status of its answer, and the stream."""
        raw = socket.create_connection(("127.0.0.1", self.outer), limits.EVENT_SECONDS, (source, 0))
        self.addCleanup(raw.close)
        stream = ssl.create_default_context(cafile=self.file("ca.pem")).wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(stream.close)
        fields = {"Host": "broker.example", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt", **fields}
        lines = ["GET /mqtt HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        stream.sendall("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += stream.recv(1)
        return int(answer.split(b" ")[1]), stream

    def check_addresses(self):
        forged = {"X-Forwarded-For": "198.51.100.1"}
        status, stream = self.ask(CLIENT, Origin="https://broker.example", **forged)
        self.assertEqual(status, 101)
        packet = packets.connect("raw", version=4)
        stream.sendall(bytes([0x82, 0x80 | len(packet), 0, 0, 0, 0]) + packet)
        self.assertEqual(stream.recv(6), b"\x82\x04" + CONNACK)
        self.assertEqual(self.wait_event("client_connected", client="raw")["address"], CLIENT)
        self.assertEqual(self.ask(CLIENT, Origin="https://evil.example")[0], 403)
        self.wait_event("connect_refused", address=CLIENT)


@unlike_mosquitto("is not set up behind proxies here")
class NginxStreamTest(ProxyCase):
    def test_proxy_protocol_1(self):
        self.make_certificates()
        self.serve(recipe("nginx: MQTT", "toml", {"127.0.0.1:1884": f"127.0.0.1:{self.inner}"}), "--allow-anonymous")
        proxy = Nginx(self, self.folder, self.outer, recipe("nginx: MQTT", "nginx", {
            "listen 8883": f"listen 127.0.0.1:{self.outer}", "/etc/nginx/broker.pem": self.file("server.pem"),
            "/etc/nginx/broker.key": self.file("server.key"), "127.0.0.1:1884": f"127.0.0.1:{self.inner}"}))
        self.check_tools()
        self.check_restart(proxy, protocol="mqtts")


@unlike_mosquitto("is not set up behind proxies here")
class HaproxyTest(ProxyCase):
    def test_proxy_protocol_2_before_tls(self):
        self.make_certificates()
        self.serve(recipe("haproxy: MQTT as it is", "toml", {
            "127.0.0.1:8884": f"127.0.0.1:{self.inner}", "/etc/chappe/server.pem": self.file("server.pem"),
            "/etc/chappe/server.key": self.file("server.key")}), "--allow-anonymous")
        proxy = Haproxy(self, self.folder, self.outer, recipe("haproxy: MQTT as it is", "haproxy", {
            "bind :8883": f"bind 127.0.0.1:{self.outer}", "127.0.0.1:8884": f"127.0.0.1:{self.inner}",
            "send-proxy-v2": "send-proxy-v2 proxy-v2-options crc32c"}))
        self.check_tools()
        self.check_restart(proxy, protocol="mqtts")

    def test_the_name_in_a_client_certificate(self):
        self.make_certificates()
        self.make_certificates("--client", "pump-7")
        with open(self.file("server.key"), encoding="utf-8") as key, open(self.file("server.pem"), encoding="utf-8") as own:
            both = self.write("broker.pem", own.read() + key.read())
        self.serve(recipe("haproxy: TLS and client certificates", "toml", {"127.0.0.1:1884": f"127.0.0.1:{self.inner}"}))
        proxy = Haproxy(self, self.folder, self.outer, recipe("haproxy: TLS and client certificates", "haproxy", {
            "bind :8883": f"bind 127.0.0.1:{self.outer}", "/etc/haproxy/broker.pem": both,
            "/etc/haproxy/clients-ca.pem": self.file("ca.pem"), "127.0.0.1:1884": f"127.0.0.1:{self.inner}"}))
        own = ["--cert", self.file("pump-7.pem"), "--key", self.file("pump-7.key")]
        self.check_tools(*own)
        self.assertEqual(self.wait_event("client_connected", client="pub")["user"], "pump-7")
        run(self, "pub", "-i", "nobody", "-t", "t", "-m", "x", where=self.where(), expect=None)
        self.wait_event("connect_refused", client="nobody")
        self.check_restart(proxy, protocol="mqtts", cert=self.file("pump-7.pem"), key=self.file("pump-7.key"))
        self.assertEqual({event.get("user") for event in self.server.broker.logged("client_connected")}, {"pump-7"})

    def test_health_checks_leave_no_trace(self):
        self.serve(recipe("The PROXY protocol", "toml", {"127.0.0.1:1884": f"127.0.0.1:{self.inner}"}), "--allow-anonymous")
        Haproxy(self, self.folder, self.outer, recipe("haproxy: MQTT as it is", "haproxy", {
            "bind :8883": f"bind 127.0.0.1:{self.outer}", "send-proxy-v2 check": "send-proxy-v2 check inter 20ms",
            "127.0.0.1:8884": f"127.0.0.1:{self.inner}"}))
        stream = socket.create_connection(("127.0.0.1", self.outer), limits.EVENT_SECONDS, (CLIENT, 0))
        self.addCleanup(stream.close)
        stream.sendall(packets.connect("raw", version=4))
        self.assertEqual(stream.recv(4), CONNACK)
        address = "%s:%d" % stream.getsockname()
        self.assertEqual(self.wait_event("client_connected", client="raw")["address"], address)
        self.assertEqual(self.server.broker.logged("connect_refused"), [])


class HeaderCase(ProxyCase):
    """The test is the proxy."""

    flags = []

    def setUp(self):
        super().setUp()
        self.serve_at("mqtt", *self.flags)

    def serve_at(self, scheme, *flags):
        self.config = ('[server]\nallow_anonymous = true\ntrusted_proxies = ["127.0.0.1"]\n[[listener]]\n'
                       f'url = "{scheme}://127.0.0.1:{self.inner}"\nproxy_protocol = true\n')
        self.serve(self.config, *flags)

    def connect(self, source="127.0.0.1"):
        stream = socket.create_connection(("127.0.0.1", self.inner), limits.EVENT_SECONDS, (source, 0))
        self.addCleanup(stream.close)
        return stream

    def rest(self, stream):
        """All until the broker ends the connection."""
        found = b""
        try:
            while part := stream.recv(65536):
                found += part
        except ConnectionResetError:
            pass
        return found


@unlike_mosquitto("does not speak the PROXY protocol")
class HeaderTest(HeaderCase):
    """What proxies send, and what they should not."""

    def connected(self, name, *parts):
        """The event of a client that connects behind what the proxy sends."""
        stream = self.connect()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (*parts, packets.connect(name, version=4)):
            stream.sendall(part)
        self.assertEqual(stream.recv(4), CONNACK)
        return self.wait_event("client_connected", client=name)

    def test_the_clients_address(self):
        one_by_one = [LINE[at : at + 1] for at in range(len(LINE))]
        unix = header(b"/run/client.sock".ljust(216, b"\0"), family=0x31)
        for name, address, parts in (("one", "203.0.113.7:56324", [LINE]), ("bytes", "203.0.113.7:56324", one_by_one),
                                     ("two", "203.0.113.7:56324", [header()]),
                                     ("long", "203.0.113.7:56324", [header(ADDRESSES + field(4, b"x" * 10_000))]),
                                     ("unix", "unix:/run/client.sock", [unix])):
            with self.subTest(name):
                self.assertEqual(self.connected(name, *parts)["address"], address)
        for name, part in (("local", header(b"", 0x20, 0)), ("unknown", b"PROXY UNKNOWN\r\n")):
            with self.subTest(name):
                self.assertTrue(self.connected(name, part)["address"].startswith("127.0.0.1:"))

    def test_the_certificates_name(self):
        self.assertEqual(self.connected("pump", header(ADDRESSES + tls_field(b"pump-7")))["user"], "pump-7")
        for name, told in (("not-verified", tls_field(b"pump-7", verify=10)), ("none", tls_field(b"pump-7", client=1))):
            with self.subTest(name):
                self.assertFalse(self.connected(name, header(ADDRESSES + told)).get("user"))

    def test_what_is_refused(self):
        for name, data in {"no header": packets.connect("x", version=4), "another family": b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
                           "too long": b"PROXY UNKNOWN " + b"x" * 200, "udp": header(family=0x12),
                           "cut field": header(ADDRESSES + b"\x20\0\5"),
                           "checksum": header(ADDRESSES + field(3, b"\1\2\3\4"))}.items():
            with self.subTest(name):
                stream = self.connect()
                stream.sendall(data)
                self.assertEqual(self.rest(stream), b"")
                event = self.wait_event("connect_refused", address="%s:%d" % stream.getsockname())
                self.assertIn("the PROXY header is wrong", event["reason"])

    def test_who_is_not_trusted(self):
        for data in (LINE + packets.connect("x", version=4), packets.connect("x", version=4)):
            stream = self.connect("127.0.0.9")
            address = "%s:%d" % stream.getsockname()
            try:
                stream.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It was quicker.
            self.assertEqual(self.rest(stream), b"")
            reason = self.wait_event("connect_refused", address=address)["reason"]
            self.assertIn("has proxy_protocol, and this address is not in server.trusted_proxies", reason)

    def test_a_reload_changes_who_is_trusted(self):
        self.connected("before", LINE)
        self.write("chappe.toml", self.config.replace('["127.0.0.1"]', '["127.0.0.9"]'))
        self.server.process.signal(signal.SIGHUP)
        self.wait_event("reloaded")
        stream = self.connect()
        self.assertEqual(self.rest(stream), b"")
        self.wait_event("connect_refused", address="%s:%d" % stream.getsockname())

    def test_a_ban_means_the_client(self):
        ban = Process([chappe_command(), "ban", "add", "address", "203.0.113.7", "--data", self.server.broker.data])
        self.assertEqual(ban.finish(), 0, ban.report())
        refused = lambda: self.answer(LINE) != CONNACK
        ask_until(bool, refused, "ban that holds")
        self.wait_event("connect_refused", address="203.0.113.7:56324")
        self.connected("other", LINE.replace(b"203.0.113.7", b"203.0.113.8"))

    def answer(self, data):
        stream = self.connect()
        stream.sendall(data + packets.connect("x", version=4))
        return stream.recv(4)


@unlike_mosquitto("does not speak the PROXY protocol")
class SilenceTest(HeaderCase):
    """Who says nothing is named: the proxy before its header, the client after it."""

    flags = ["--set", "limits.connect_timeout_seconds=1"]

    def test_no_header(self):
        for start in (b"", LINE[:20], header()[:20]):
            stream = self.connect()
            stream.sendall(start)
            self.assertEqual(self.rest(stream), b"")
            event = self.wait_event("connect_refused", address="%s:%d" % stream.getsockname())
            self.assertIn("no complete CONNECT in time", event["reason"])

    def test_no_packets(self):
        stream = self.connect()
        stream.sendall(LINE)
        self.assertEqual(self.rest(stream), b"")
        self.wait_event("connect_refused", address="203.0.113.7:56324")


@unlike_mosquitto("does not speak the PROXY protocol")
class OtherProtocolsTest(HeaderCase):
    """The header comes before TLS and HTTP."""

    def setUp(self):
        ProxyCase.setUp(self)

    def serve_with_tls(self, scheme):
        self.make_certificates()
        self.make_certificates("--client", "proxy-itself")
        self.serve_at(scheme, "--tls-certificate", self.file("server.pem"), "--tls-key", self.file("server.key"),
                      "--tls-ca", self.file("ca.pem"))

    def encrypted(self, start, certificate=None):
        raw = self.connect()
        raw.sendall(start)
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if certificate:
            context.load_cert_chain(self.file(certificate + ".pem"), self.file(certificate + ".key"))
        stream = context.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(stream.close)
        return stream

    def user(self, name, start, certificate=None):
        """As whom a client is known that comes so."""
        stream = self.encrypted(start, certificate)
        stream.sendall(packets.connect(name, version=4))
        self.assertEqual(stream.recv(4), CONNACK)
        event = self.wait_event("client_connected", client=name)
        self.assertEqual(event["address"], "203.0.113.7:56324")
        return event.get("user") or None

    def test_before_tls(self):
        self.serve_with_tls("mqtts")
        self.assertEqual(self.user("through", LINE, "proxy-itself"), "proxy-itself")
        # A proxy that has ended the client's TLS shows a certificate of its own.
        told = header(ADDRESSES + tls_field(b"pump-7"))
        self.assertEqual(self.user("ended", told, "proxy-itself"), "pump-7")
        self.assertIsNone(self.user("without", header(ADDRESSES + tls_field(b"", client=1)), "proxy-itself"))

    def test_a_failed_handshake_is_the_clients(self):
        self.serve_with_tls("mqtts")
        stream = self.connect()
        stream.sendall(LINE + packets.connect("plain", version=4))
        self.rest(stream)
        reason = self.wait_event("connect_refused", address="203.0.113.7:56324")["reason"]
        self.assertIn("read from 203.0.113.7:56324: TLS: the peer does not speak TLS", reason)

    def ask(self, stream, **fields):
        fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt", **fields}
        lines = ["GET /mqtt HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        stream.sendall("\r\n".join(lines).encode())
        return int(stream.recv(12).split(b" ")[1])

    def test_before_https(self):
        self.serve_with_tls("https")
        self.assertEqual(self.ask(self.encrypted(LINE)), 101)
        self.assertEqual(self.user("direct", LINE), None)
        self.assertEqual(self.ask(self.encrypted(LINE), Origin="https://evil.example"), 403)
        self.wait_event("connect_refused", address="203.0.113.7:56324")

    def test_before_http(self):
        self.serve_at("http")
        host = {"Origin": "https://broker.example", "Host": "broker.example"}
        for start, status in ((LINE, 403), (header(ADDRESSES + tls_field(b"", client=1)), 101)):
            stream = self.connect()
            stream.sendall(start)
            self.assertEqual(self.ask(stream, **host), status)

    def test_a_client_cannot_forward_for_others(self):
        self.serve_at("http")
        stream = self.connect()
        stream.sendall(LINE)
        self.assertEqual(self.ask(stream, **{"X-Forwarded-For": "198.51.100.1", "Origin": "https://evil.example"}), 403)
        self.wait_event("connect_refused", address="203.0.113.7:56324")


if __name__ == "__main__":
    unittest.main()
