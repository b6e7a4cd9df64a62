"""Those who have not logged in, and do not mean to: what they can take has bounds, and whoever has logged in is served
meanwhile. In each attack a healthy client publishes with QoS 1 and waits for each acknowledgement; its latencies are
printed, and nothing depends on them."""

import os
import socket
import ssl
import statistics
import time

from access_test import AccessCase
from support import limits, packets, ports
from support.case import BrokerCase
from support.polling import ask_until
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

ATTACKERS = 200
ROUND_TRIPS = 50
RATE_EXCEEDED = 0x9F
CONNACK_311 = b"\x20\x02\x00"
STRANGER = "203.0.113.7"


class HealthyClient:
    """Has logged in before the attack."""

    def __init__(self, stream, client_id="healthy"):
        self.stream, self.packet_id = stream, 0
        stream.settimeout(limits.EVENT_SECONDS)
        stream.sendall(packets.connect(client_id, version=4))
        self._take(packets.CONNACK)

    def _take(self, kind):
        data = b""
        while not (found := packets.split_packets(data)[0]):
            piece = self.stream.recv(4096)
            assert piece, "the broker has closed the healthy client's connection"
            data += piece
        assert found[0].kind == kind, found
        return found[0]

    def round_trips(self, count=ROUND_TRIPS):
        """How long each took, in milliseconds. All of them are acknowledged when this returns."""
        times = []
        for _ in range(count):
            self.packet_id = self.packet_id % 65535 + 1
            body = packets.text("healthy") + self.packet_id.to_bytes(2, "big") + b"x"
            begin = time.monotonic()
            self.stream.sendall(packets.packet(packets.PUBLISH, 2, body))
            assert self._take(packets.PUBACK).packet_id == self.packet_id
            times.append((time.monotonic() - begin) * 1000)
        return times


class SysValue:
    """A value below $SYS/broker/chappe/, as it is now."""

    def __init__(self, case, name):
        self.stream = socket.create_connection(case.healthy_address(), limits.EVENT_SECONDS)
        case.addCleanup(self.stream.close)
        topic_filter = packets.text("$SYS/broker/chappe/" + name) + b"\0"
        self.stream.sendall(packets.connect("", version=4) + packets.packet(packets.SUBSCRIBE, 2, b"\0\1" + topic_filter))

    def wait(self, condition, what):
        data, values = b"", []
        self.stream.settimeout(limits.EVENT_SECONDS)
        while not values or not condition(values[-1]):
            piece = self.stream.recv(4096)
            assert piece, f"{what}: the connection has ended"
            found, data = packets.split_packets(data + piece)
            values += [int(one.body[2 + len(one.topic):]) for one in found if one.kind == packets.PUBLISH]
        return values[-1]


class BoundsCase(AccessCase):
    """A broker with a plain listener for the healthy client, and what a test adds to it."""

    def setUp(self):
        self.folder = self.scratch_folder()
        self.plain = ports.free_port()
        self.port = ports.free_port()

    def healthy_address(self):
        return "127.0.0.1", self.plain

    def file(self, name):
        return os.path.join(self.folder, name)

    def make_certificates(self):
        process = Process([chappe_command(), "cert", "--dir", self.folder, "--name", "localhost"])
        self.assertEqual(process.finish(), 0, process.report())

    def serve(self, listener="", shards=1, server="", **limits_):
        """One shard, so that the healthy client is on the one that is attacked."""
        lines = ["[server]", f'listen = ["mqtt://127.0.0.1:{self.plain}"]', "sys_interval_seconds = 1", server]
        if listener.startswith(("mqtts", "https")):
            self.make_certificates()
            lines += ["[tls]", f'certificates = ["{self.file("server.pem")}"]', f'keys = ["{self.file("server.key")}"]']
        lines += ["[limits]", *(f"{name} = {value}" for name, value in limits_.items())]
        if listener:
            lines += ["[[listener]]", f'url = "{listener}"', "allow_anonymous = true"]
            lines += ["proxy_protocol = true"] if server else []
        with open(self.file("chappe.toml"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.server = self.start_server(listen=(), flags=["--config", self.file("chappe.toml"),
                                                          "--set", f"server.shards={shards}"])
        self.server.process.wait_for(lambda: len(self.server.broker.urls_so_far()) == 1 + bool(listener) or None,
                                     what="all listeners")

    def open(self, port=None, source="127.0.0.1", timeout=limits.EVENT_SECONDS):
        stream = socket.create_connection(("127.0.0.1", port or self.port), limits.EVENT_SECONDS, (source, 0))
        self.addCleanup(stream.close)
        stream.settimeout(timeout)
        return stream


def client_hello(ca_file):
    """The first bytes of a TLS handshake."""
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=ca_file).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake that needs no answer")


def is_closed(stream):
    """Whether the broker has ended this connection, without waiting for that."""
    try:
        stream.setblocking(False)
        while stream.recv(65536):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def send_if_open(stream, data):
    try:
        stream.setblocking(False)
        stream.send(data)
    except OSError:
        pass


@unlike_mosquitto("has no such bounds")
class AttackTest(BoundsCase):
    TIMEOUT = 3  # Seconds until a connection that has not logged in is closed.

    def attack(self, listener, open_one, keep_on=None, bound="connect_timeout_seconds", attackers=ATTACKERS, port=None):
        """Opens connections, goes on with each as long as it is open, and looks after the healthy client all the while.
        Ends when the broker has closed them all, for the reason that is expected."""
        stream = socket.create_connection(self.healthy_address(), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        healthy = HealthyClient(stream)
        counter = SysValue(self, "limits/" + bound)
        before, during = healthy.round_trips(200), []
        left = []
        for number in range(attackers):
            left.append(open_one())
            if number % 10 == 0:
                during += healthy.round_trips(5)

        def look():
            nonlocal left
            left = [one for one in left if not is_closed(one)]
            for one in left if keep_on else ():
                send_if_open(one, keep_on())
            during.extend(healthy.round_trips(20))
            return len(left)

        ask_until(lambda count: count == 0, look, "end of all attackers", limits.BULK_SECONDS)
        after = healthy.round_trips(200)
        self.assertGreaterEqual(counter.wait(lambda value: value >= attackers, "counter"), attackers)
        worst = max(during)
        print(f"\n{self.id().rpartition('.')[2]}: median {statistics.median(before):.2f} ms before, "
              f"{statistics.median(during):.2f} during ({len(during)} round trips, the longest {worst:.0f}), "
              f"{statistics.median(after):.2f} after")

    def test_slowloris(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}", connect_timeout_seconds=self.TIMEOUT)
        packet = packets.connect("x" * 1000)

        def open_one():
            stream = self.open()
            stream.sendall(packet[:3])
            return stream

        self.attack("mqtt", open_one, keep_on=lambda: packet[10:11])

    def test_tls_without_a_hello(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}", connect_timeout_seconds=self.TIMEOUT)
        self.attack("mqtts", self.open)

    def test_tls_that_stops_after_the_hello(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}", connect_timeout_seconds=self.TIMEOUT)

        hello = client_hello(self.file("ca.pem"))

        def open_one():
            stream = self.open()
            stream.sendall(hello)
            return stream

        self.attack("mqtts", open_one)

    def test_connect_that_is_too_large(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}")

        def open_one():
            stream = self.open()
            stream.sendall(b"\x10\xff\xff\xff\x7f" + packets.text("MQTT"))  # 256 MiB follow, says the length.
            return stream

        self.attack("mqtt", open_one, keep_on=lambda: bytes(65536), bound="connect_packet_size_max")

    def test_connects_that_are_large_and_never_whole(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}", unfinished_bytes_total_max=1024 * 1024)
        body = packets.packet(packets.CONNECT, 0, packets.text("MQTT") + bytes(200_000))[:-1]

        def open_one():
            stream = self.open()
            send_if_open(stream, body)
            return stream

        # The first few fit. They are left to the time limit, which is not waited for here.
        self.serve_until_refused(open_one)

    def serve_until_refused(self, open_one):
        stream = socket.create_connection(self.healthy_address(), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        healthy = HealthyClient(stream)
        counter = SysValue(self, "limits/unfinished_bytes_total_max")
        attackers = [open_one() for _ in range(30)]
        healthy.round_trips()
        counter.wait(lambda value: value >= 20, "counter")
        ask_until(lambda count: count >= 20, lambda: sum(map(is_closed, attackers)), "end of those beyond the bound")
        healthy.round_trips()

    def test_http_heads_that_never_end(self):
        self.serve(f"http://127.0.0.1:{self.port}", connect_timeout_seconds=self.TIMEOUT)

        def open_one():
            stream = self.open()
            stream.sendall(b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\n")
            return stream

        self.attack("http", open_one, keep_on=lambda: b"X-Field: 1\r\n")

    def test_flood_of_http_fields(self):
        self.serve(f"http://127.0.0.1:{self.port}")
        stream = socket.create_connection(self.healthy_address(), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        healthy = HealthyClient(stream)
        before, during = healthy.round_trips(200), []
        for _ in range(ATTACKERS):
            one = self.open()
            one.sendall(b"GET /mqtt HTTP/1.1\r\n" + b"X-Field: 1\r\n" * 1500)  # Beyond the 16 KiB of a head.
            self.assertIn(b" 431 ", one.recv(100))
            during += healthy.round_trips(5)
            one.close()
        self.wait_event("connect_refused", code="Not authorized")
        print(f"\ntest_flood_of_http_fields: median {statistics.median(before):.2f} ms before, "
              f"{statistics.median(during):.2f} during")

    def test_more_than_may_be_there_before_login(self):
        self.serve(connections_before_login_max=50)
        stream = socket.create_connection(self.healthy_address(), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        healthy = HealthyClient(stream)
        silent = [self.open(self.plain) for _ in range(ATTACKERS)]
        healthy.round_trips()
        counter = SysValue(self, "limits/connections_before_login_max")
        counter.wait(lambda value: value >= ATTACKERS - 50, "counter")
        ask_until(lambda count: count >= ATTACKERS - 50, lambda: sum(map(is_closed, silent)), "end of the oldest")
        # However many are silent, who logs in is let in.
        late = self.open(self.plain)
        late.sendall(packets.connect("late", version=4))
        self.assertEqual(late.recv(4), CONNACK_311 + b"\0")


@unlike_mosquitto("has no such bounds")
class AddressTest(BoundsCase):
    """Addresses are those that a proxy tells: loopback addresses are not counted."""

    PROXY = 'trusted_proxies = ["127.0.0.1"]'

    def answer(self, client_id, address=STRANGER, version=5):
        """What a client is answered that a proxy connects: the packet, or None if it is closed without a word."""
        stream = self.open()
        try:
            stream.sendall(f"PROXY TCP4 {address} 192.0.2.1 56324 1883\r\n".encode())
            stream.sendall(packets.connect(client_id, version=version))
            return next(self.packets_from(stream), None)
        except ConnectionError:
            return None
        finally:
            stream.close()

    def test_too_many_connects(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}", server=self.PROXY, address_connects_per_minute_max=5)
        first = [self.answer(f"c{number}").body[1] for number in range(5)]
        self.assertEqual(first, [0] * 5)
        refused = ask_until(lambda packet: packet.body[1] != 0, lambda: self.answer("more"), "refusal")
        self.assertEqual(refused.body[1], RATE_EXCEEDED)
        self.assertIn(b"too many clients connect from this address; try again in", refused.body)
        self.wait_event("connect_refused", client="more", code="Connection rate exceeded",
                        reason="the address has reached address_connects_per_minute_max")
        old = ask_until(lambda packet: packet.body[1] != 0, lambda: self.answer("old", version=4), "refusal")
        self.assertEqual(old.body[1], 3)  # Server unavailable.
        self.assertEqual(self.answer("other", address="203.0.113.8").body[1], 0)
        ask_until(lambda packet: packet is None, lambda: self.answer("far beyond"), "connection that is closed at once")
        SysValue(self, "limits/address_connects_per_minute_max").wait(lambda value: value >= 3, "counter")
        healthy = [self.open(self.plain) for _ in range(20)]
        for stream in healthy:  # Of this machine.
            HealthyClient(stream).round_trips(1)

    def test_without_a_bound(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}", server=self.PROXY, address_connects_per_minute_max=0)
        for number in range(30):
            self.assertEqual(self.answer(f"c{number}").body[1], 0)

    def test_banned_behind_a_proxy(self):
        self.serve(f"mqtt://127.0.0.1:{self.port}", server=self.PROXY)
        self.change("ban", "add", "address", STRANGER, "--reason", "noise")
        self.assertIsNone(self.answer("c"))
        self.assertEqual(self.answer("other", address="203.0.113.8").body[1], 0)
        event = self.wait_event("connect_refused", reason="the address is banned: noise")
        self.assertEqual(event["address"], f"{STRANGER}:56324")
        self.assertIsNone(self.answer("c"))
        SysValue(self, "connects/banned").wait(lambda value: value == 2, "counter")
        self.assertEqual(len(self.server.broker.logged("connect_refused")), 1)  # One line a minute is enough.

    def test_banned_behind_a_proxy_before_tls(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}", server=self.PROXY)
        self.change("ban", "add", "address", STRANGER, "--reason", "noise")
        for address, is_served in ((STRANGER, False), ("203.0.113.8", True), (STRANGER, False)):
            stream = self.open()
            stream.sendall(f"PROXY TCP4 {address} 192.0.2.1 56324 8883\r\n".encode() + client_hello(self.file("ca.pem")))
            self.assertEqual(stream.recv(1) != b"", is_served)
        event = self.wait_event("connect_refused", address=f"{STRANGER}:56324")
        self.assertIn("the address is banned: noise", event["reason"])
        SysValue(self, "connects/banned").wait(lambda value: value == 2, "counter")

    def test_banned(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}")
        self.change("ban", "add", "address", "127.0.0.9")
        for port in (self.port, self.plain):  # Before TLS, and before anything is said.
            self.assertEqual(self.open(port, source="127.0.0.9").recv(1), b"")
        event = self.wait_event("connect_refused", code="Banned")
        self.assertTrue(event["address"].startswith("127.0.0.9:"), event)
        SysValue(self, "connects/banned").wait(lambda value: value == 2, "counter")
        self.change("ban", "remove", "address", "127.0.0.9")
        HealthyClient(self.open(self.plain, source="127.0.0.9")).round_trips(1)


@unlike_mosquitto("has no such bounds")
class HandshakeTest(BoundsCase):
    def test_more_handshakes_than_the_bound_wait_and_none_is_lost(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}", tls_handshakes_per_second_max=20)
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        healthy = HealthyClient(self.open(self.plain))
        waiting = [self.open() for _ in range(30)]
        for number, raw in enumerate(waiting):
            stream = context.wrap_socket(raw, server_hostname="localhost")
            HealthyClient(stream, f"waited{number}").round_trips(1)
            healthy.round_trips(1)
        SysValue(self, "limits/tls_handshakes_per_second_max").wait(lambda value: value >= 1, "counter")

    def test_a_reload_lifts_the_bound_for_those_who_wait(self):
        self.serve(f"mqtts://127.0.0.1:{self.port}", tls_handshakes_per_second_max=20)
        waiting = [self.open() for _ in range(30)]
        with open(self.file("chappe.toml"), encoding="utf-8") as file:
            text = file.read()
        with open(self.file("chappe.toml"), "w", encoding="utf-8") as file:
            file.write(text.replace("tls_handshakes_per_second_max = 20", "tls_handshakes_per_second_max = 0"))
        self.server.process.signal(1)  # SIGHUP
        self.server.broker.wait_event("reloaded")
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        for number, raw in enumerate(waiting):
            stream = context.wrap_socket(raw, server_hostname="localhost")
            HealthyClient(stream, f"waited{number}").round_trips(1)


@unlike_mosquitto("has no such bounds")
class FlappingTest(BoundsCase):
    def connack(self, client_id, version=5, goodbye=False):
        stream = self.open(self.plain)
        stream.sendall(packets.connect(client_id, version=version))
        packet = next(self.packets_from(stream))
        if goodbye:
            stream.sendall(packets.packet(packets.DISCONNECT, 0, b""))
            self.assertEqual(stream.recv(1), b"")
        stream.close()
        return packet

    def test_a_client_that_comes_again_and_again_is_kept_out(self):
        self.serve(client_connects_per_minute_max=5, flapping_wait_seconds=3600, shards=3)
        refused = ask_until(lambda packet: packet.body[1] != 0, lambda: self.connack("twin"), "refusal")
        self.assertEqual(refused.body[1], RATE_EXCEEDED)
        self.assertIn(b"this client identifier connects too often; try again in", refused.body)
        self.assertEqual(self.connack("twin", version=4).body[1], 3)
        self.assertEqual(self.connack("other").body[1], 0)
        self.wait_event("connect_refused", client="twin", code="Connection rate exceeded")
        SysValue(self, "limits/client_connects_per_minute_max").wait(lambda value: value == 1, "counter")
        SysValue(self, "limits/flapping_wait_seconds").wait(lambda value: value == 2, "counter")

    def test_a_program_that_connects_for_each_message_is_no_fault(self):
        self.serve(client_connects_per_minute_max=5, shards=3)
        for _ in range(30):
            self.assertEqual(self.connack("sensor", goodbye=True).body[1], 0)


if __name__ == "__main__":
    import unittest

    unittest.main()
