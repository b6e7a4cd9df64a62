"""How the broker ends: wills and goodbyes at SIGTERM, and clients, terminals and impatient people that are in the way."""

import fcntl
import os
import signal
import socket
import unittest

from support import limits, packets
from support.case import BrokerCase
from support.paho_client import PahoClient
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

SHARDS = 4  # Of which each has some of the clients, whatever their identifiers hash to.
SHUTTING_DOWN = 0x8B


def setting(name, value):
    return "--set", f"{name}={value}"


@unlike_mosquitto("publishes no wills at SIGTERM")
class ShutdownTest(BrokerCase):
    server_options = {"flags": setting("server.shards", SHARDS)}

    def ask_to_end(self, server=None):
        (server or self.server).process.signal(signal.SIGTERM)

    def expect_its_end(self, server=None):
        self.assertEqual((server or self.server).process.finish(limits.STOP_SECONDS), 0)

    def test_everybody_gets_the_wills_of_all_and_then_the_goodbye(self):
        names = [f"client-{number}" for number in range(2 * SHARDS)]
        clients = [PahoClient(self, name, will={"topic": f"will/{name}", "qos": 1}).connect() for name in names]
        for client in clients:
            client.subscribe("will/#", 1)
        self.ask_to_end()
        for client in clients:
            self.assertEqual(client.wait_disconnected()[0], SHUTTING_DOWN)
            self.assertEqual(sorted(message.topic for message in client.messages), [f"will/{name}" for name in names])
        self.expect_its_end()

    # Of QoS 0: what a member has not acknowledged when it goes is given to another one, who may still be there.
    def test_a_shared_subscription_gets_each_will_once(self):
        names = [f"client-{number}" for number in range(4 * SHARDS)]
        members = [PahoClient(self, f"member-{number}").connect() for number in range(SHARDS)]
        for member in members:
            member.subscribe("$share/watch/will/#")
        for name in names:
            PahoClient(self, name, will={"topic": f"will/{name}"}).connect()
        self.ask_to_end()
        topics = []
        for member in members:
            self.assertEqual(member.wait_disconnected()[0], SHUTTING_DOWN)
            topics += [message.topic for message in member.messages]
        self.assertEqual(sorted(topics), sorted(f"will/{name}" for name in names))
        self.expect_its_end()

    def test_a_delayed_will_is_due_where_its_session_ends_with_the_connection(self):
        watcher = PahoClient(self, "watcher").connect()
        watcher.subscribe("will/#", 1)
        for name, expiry in (("brief", 0), ("lasting", 60)):
            will = {"topic": f"will/{name}", "qos": 1, "WillDelayInterval": 30}
            PahoClient(self, name, will=will, connect={"SessionExpiryInterval": expiry}).connect()
        self.ask_to_end()
        self.assertEqual(watcher.wait_disconnected()[0], SHUTTING_DOWN)
        self.assertEqual([message.topic for message in watcher.messages], ["will/brief"])
        self.expect_its_end()

    def connect_without_reading(self, server):
        """A client with more to read than its socket holds, which it never reads."""
        deaf = socket.socket()
        self.addCleanup(deaf.close)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((server.host, server.port))
        deaf.settimeout(limits.EVENT_SECONDS)
        deaf.sendall(packets.connect("deaf", version=4))
        self.assertEqual(deaf.recv(4), bytes([0x20, 2, 0, 0]))
        deaf.sendall(packets.packet(packets.SUBSCRIBE, 2, b"\0\1" + packets.text("big") + b"\0"))
        self.assertEqual(deaf.recv(5), bytes([0x90, 3, 0, 1, 0]))
        publisher = PahoClient(self, "publisher", where=server).connect()
        for _ in range(64):
            publisher.publish("big", bytes(1024 * 1024), 1)
        publisher.disconnect()

    def test_a_client_that_does_not_read_is_not_waited_for_longer_than_the_timeout(self):
        server = self.start_server(flags=setting("server.shutdown_timeout_seconds", 1))
        self.connect_without_reading(server)
        self.ask_to_end(server)
        self.expect_its_end(server)
        self.assertEqual(len(server.broker.logged("shutdown_timeout")), 1)

    def test_a_second_signal_ends_the_wait(self):
        self.connect_without_reading(self.server)
        self.ask_to_end()
        self.server.broker.wait_event("stopping")
        self.ask_to_end()
        self.expect_its_end()
        self.assertEqual(len(self.server.broker.logged("shutdown_cut_short")), 1)
        self.assertEqual(self.server.broker.logged("shutdown_timeout"), [])

    def test_a_stalled_reader_of_the_log_does_not_keep_the_broker(self):
        folder = self.scratch_folder()
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        path = os.path.join(folder, "chappe.sock")
        serve = Process([chappe_command(), "serve", "--data", folder, "--listen", f"unix:{path}"], stderr=writer)
        self.addCleanup(serve.kill)
        os.close(writer)
        serve.wait_line(lambda line: path.encode() in line, seconds=limits.START_SECONDS, what="address")
        for _ in range(4096 // 100):  # Each fills the pipe with a line that nobody reads.
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.settimeout(limits.EVENT_SECONDS)
                stranger.connect(path)
                stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
                self.assertEqual(stranger.recv(1), b"")
        self.assertEqual(serve.terminate(), 0)
        os.close(reader)


if __name__ == "__main__":
    unittest.main()
