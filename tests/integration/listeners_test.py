"""Where the broker listens: IPv4, IPv6 and Unix sockets; who may come in; what happens when it cannot listen."""

import os
import socket
import unittest
from types import SimpleNamespace

from support import limits, packets
from support.case import BrokerCase, needs_ipv6
from support.mosquitto_tools import Message, Subscriber, publish, run, tcp
from support.paho_client import PahoClient
from support.polling import ask_until
from support.ports import free_port
from support.process import Process
from support.server import Server, chappe_command, unlike_mosquitto


class ListenersTest(unittest.TestCase):
    def start_server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def setUp(self):
        self.server = None  # Each test has listeners of its own.

    def deliver(self, where, elsewhere):
        subscriber = Subscriber(self, "-q", "1", "-C", "1", topics=["t"], where=where)
        publish(self, "-q", "1", "-t", "t", "-m", "x", where=elsewhere)
        self.assertEqual(subscriber.messages(1), [Message("t", 1, False, b"x")])
        self.assertEqual(subscriber.finish(), 0)

    def socket_path(self):
        folder = BrokerCase.scratch_folder(self)
        return os.path.join(folder, "chappe.sock")

    @needs_ipv6
    def test_ipv6(self):
        server = self.start_server(listen=("mqtt://[::1]:0",))
        self.assertEqual(server.host, "::1")
        self.deliver(tcp(server), tcp(server))

    def test_unix_socket(self):
        path = self.socket_path()
        self.start_server(listen=(f"unix:{path}",))
        self.deliver(["--unix", path], ["--unix", path])

    @needs_ipv6
    def test_several_listeners_are_one_broker(self):
        path = self.socket_path()
        server = self.start_server(listen=("mqtt://127.0.0.1:0", "mqtt://[::1]:0", f"unix:{path}"))
        places = [tcp(server, 0), tcp(server, 1), ["--unix", path]]
        for number, place in enumerate(places):
            self.deliver(place, places[number - 1])

    def test_unix_socket_after_a_crash(self):
        path = self.socket_path()
        server = self.start_server(listen=(f"unix:{path}",))
        server.kill()
        self.assertTrue(os.path.exists(path))
        server.start()
        self.deliver(["--unix", path], ["--unix", path])
        server.stop()

    @unlike_mosquitto("leaves the file")
    def test_unix_socket_is_removed_at_the_end(self):
        path = self.socket_path()
        self.start_server(listen=(f"unix:{path}",)).stop()
        self.assertFalse(os.path.exists(path))

    def test_restart_on_the_same_port(self):
        server = self.start_server()
        before = server.urls()
        PahoClient(self, where=server).connect()
        server.restart()
        self.assertEqual(server.urls(), before)
        PahoClient(self, where=server).connect()

    @unlike_mosquitto("is told here to let everybody in")
    def test_strangers_on_other_than_loopback(self):
        everywhere = ("mqtt://0.0.0.0:0",)
        for flags, expected in (((), 5), (("--allow-anonymous",), 0)):  # 5: not authorized.
            port = self.start_server(listen=everywhere, flags=flags).port
            with socket.create_connection(("127.0.0.1", port), limits.EVENT_SECONDS) as stranger:
                stranger.settimeout(limits.EVENT_SECONDS)
                stranger.sendall(packets.connect("stranger", version=4))
                self.assertEqual(stranger.recv(4)[3], expected)

    @unlike_mosquitto("has no such limit")
    def test_connection_without_connect_is_closed(self):
        server, silents = self.start_server(limits_={"connect_timeout_seconds": 5}), []
        for sent in (b"", packets.connect("slow")[:-1]):  # A CONNECT that never ends is no better.
            silent = socket.create_connection((server.host, server.port))
            self.addCleanup(silent.close)
            silent.settimeout(limits.EVENT_SECONDS)
            silent.sendall(sent)
            silents.append(silent)
        for silent in silents:
            self.assertEqual(silent.recv(1), b"")
        PahoClient(self, where=server).connect()

    @staticmethod
    def is_admitted(where):
        try:
            with socket.create_connection((where.host, where.port), limits.EVENT_SECONDS) as connection:
                connection.sendall(packets.connect("next"))
                return connection.recv(1) != b""
        except ConnectionError:
            return False

    @unlike_mosquitto("has other names for it")
    def test_a_listener_with_a_bound_of_its_own(self):
        config = os.path.join(BrokerCase.scratch_folder(self), "chappe.toml")
        narrow, wide = (SimpleNamespace(host="127.0.0.1", port=free_port()) for _ in range(2))
        url = f"mqtt://127.0.0.1:{narrow.port}"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[server]\nsys_interval_seconds = 1\nlisten = ["mqtt://127.0.0.1:{wide.port}"]\n'
                       f'[[listener]]\nurl = "{url}"\nconnections_max = 1\n')
        server = self.start_server(listen=(), flags=("--config", config))
        server.process.wait_for(lambda: True if len(server.broker.urls_so_far()) == 2 else None, what="both listeners")
        first = PahoClient(self, "first", where=narrow).connect()
        with socket.create_connection((narrow.host, narrow.port)) as second:
            second.settimeout(limits.EVENT_SECONDS)
            self.assertEqual(second.recv(1), b"")
        other = PahoClient(self, "other", where=wide).connect()
        other.subscribe("$SYS/broker/chappe/limits/listener_connections_max")
        other.wait(lambda: any(message.payload == b"1" for message in other.messages), "count")
        self.assertIn(url, server.broker.wait_event("connect_refused")["reason"])
        self.assertEqual(len(server.broker.logged("connect_refused")), 1)
        first.disconnect()
        # When the broker, too, is done with the first.
        ask_until(bool, lambda: self.is_admitted(narrow), "room for another client")

    @unlike_mosquitto("has a command line of its own")
    def test_address_in_use(self):
        server = self.start_server()
        url = server.urls()[0]
        second = Process([chappe_command(), "serve", "--data", BrokerCase.scratch_folder(self), "--listen", url])
        self.addCleanup(second.kill)
        self.assertNotEqual(second.finish(), 0)
        self.assertIn(url.removeprefix("mqtt://"), b"\n".join(second.stderr).decode())
        PahoClient(self, where=server).connect()

    @unlike_mosquitto("has logs of its own")
    def test_text_log_names_the_listener(self):
        process = Process([chappe_command(), "serve", "--data", BrokerCase.scratch_folder(self), "--listen", "mqtt://127.0.0.1:0"])
        self.addCleanup(process.kill)
        line = process.wait_line(lambda line: b"listening on mqtt://127.0.0.1:" in line, process.stderr, seconds=limits.START_SECONDS)
        port = int(line.split(b"mqtt://127.0.0.1:")[1].split()[0])
        run(self, "pub", "-t", "x", "-m", "x", where=["-h", "127.0.0.1", "-p", str(port)])
        self.assertEqual(process.terminate(), 0)


@unlike_mosquitto("has no such hint")
class FirstStepsTest(unittest.TestCase):
    """Whoever starts Chappe for the first time copies the lines that it prints."""

    def follow(self, url):
        folder = BrokerCase.scratch_folder(self)
        program = os.path.join(folder, "my chappe")  # As it was started: nothing is said of PATH.
        os.symlink(chappe_command(), program)
        server = Process([program, "serve", "--data", folder, "--listen", url.replace("FOLDER", folder)])
        self.addCleanup(server.kill)
        server.wait_line(lambda line: b" pub " in line, seconds=limits.START_SECONDS)
        sub, pub = (line.decode() for line in server.stdout if line.startswith(b"  "))
        subscriber = Process(["sh", "-c", f"exec {sub} -d"])
        self.addCleanup(subscriber.kill)
        subscriber.wait_line(lambda line: b"subscribed to" in line, subscriber.stderr)
        publisher = Process(["sh", "-c", f"exec {pub}"])
        self.addCleanup(publisher.kill)
        self.assertEqual(publisher.finish(), 0)
        subscriber.wait_line(lambda line: line == b"hello/world 21.5")
        self.assertEqual(server.terminate(), 0)

    def test_localhost(self):
        self.follow(f"mqtt://127.0.0.1:{free_port()}")

    def test_another_address_of_this_machine(self):
        self.follow("mqtt://127.0.0.2:0")

    @needs_ipv6
    def test_ipv6(self):
        self.follow("mqtt://[::1]:0")

    def test_a_unix_socket_alone(self):
        self.follow("unix:FOLDER/it's here.sock")


@unlike_mosquitto("has signals and files of its own")
class ReloadTest(unittest.TestCase):
    def test_bad_file_changes_nothing_and_a_good_one_is_taken(self):
        folder = BrokerCase.scratch_folder(self)
        path = os.path.join(folder, "chappe.toml")

        def write(text):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        write("[limits]\nkeep_alive_max_seconds = 50\n")
        server = Server(flags=("--config", path))
        self.addCleanup(server.close)

        def keep_alive():
            client = PahoClient(self, where=server, keep_alive=60).connect()
            client.disconnect()
            return client.connack().get("ServerKeepAlive")

        def reload(text, event):
            write(text)
            server.process.signal(1)  # SIGHUP
            server.broker.wait_event(event)

        self.assertEqual(keep_alive(), 50)
        reload("[limits]\nkeep_alive_max_secs = 40\n", "reload_failed")
        self.assertEqual(keep_alive(), 50)
        reload("[limits]\nkeep_alive_max_seconds = 40\n", "reloaded")
        self.assertEqual(keep_alive(), 40)


if __name__ == "__main__":
    unittest.main()
