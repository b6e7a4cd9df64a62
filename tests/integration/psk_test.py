"""TLS by keys that broker and clients share, with the clients that people have."""

import os
import subprocess
import unittest

from support import limits, packets, ports
from support.case import BrokerCase
from support.mosquitto_tools import Subscriber, publish, run
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
OTHER_KEY = KEY[::-1]


@unlike_mosquitto("is not set up with keys here")
class PskTest(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.keys = self.write("keys", f"# the pumps\npump-7:{KEY}\npump-8:{OTHER_KEY}\n")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def serve(self, *flags):
        self.port = ports.free_port("127.0.0.1")
        self.server = self.start_server(listen=[f"mqtts://127.0.0.1:{self.port}"],
                                        flags=["--set", f"tls.psk_file={self.keys}", *flags])

    def certificates(self):
        process = Process([chappe_command(), "cert", "--dir", self.folder, "--name", "localhost"])
        self.assertEqual(process.finish(), 0, process.report())
        server = os.path.join(self.folder, "server")
        return ["--tls-certificate", server + ".pem", "--tls-key", server + ".key"]

    def with_key(self, identity="pump-7", key=KEY, *options):
        return ["-h", "localhost", "-p", str(self.port), "--psk-identity", identity, "--psk", key, *options]

    def with_key_file(self, identity="pump-7", key=KEY):
        return ["-h", "localhost", "-p", str(self.port), "--psk-file", self.write("mine", f"{identity}:{key}\n")]

    def wait_event(self, kind, **fields):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == kind and fields.items() <= event.items()), None)

        return self.server.process.wait_for(found, what=kind)

    def wait_refusal(self, why):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == "connect_refused" and why in event["reason"]), None)

        return self.server.process.wait_for(found, what=why)

    def test_mosquitto_and_chappe_clients(self):
        self.serve()
        roads = {"mosquitto": self.with_key("pump-8", OTHER_KEY), "chappe": self.with_key_file()}
        for self.tools, where in roads.items():
            with self.subTest(tools=self.tools):
                subscriber = Subscriber(self, "-q", "1", "-C", "1", topics=["t"], where=where)
                publish(self, "-q", "1", "-t", "t", "-m", "x" * 10_000, where=where)
                (message,) = subscriber.messages(1)
                self.assertEqual(message.payload, b"x" * 10_000)
        self.wait_event("client_connected", user="pump-7")
        self.wait_event("client_connected", user="pump-8")

    def test_who_has_not_the_key_is_out(self):
        self.serve()
        for identity, key, why in (("pump-7", OTHER_KEY, "the peer has another preshared key for this identity"),
                                   ("pump-9", KEY, "the peer has no preshared key that we know")):
            with self.subTest(identity=identity):
                tried = run(self, "pub", "-t", "t", "-m", "x", where=self.with_key(identity, key), expect=None)
                self.assertNotEqual(tried.finish(), 0)
                self.wait_refusal(why)
                self.assertNotEqual(self.old_device(identity, key, "PSK-AES128-GCM-SHA256").returncode, 0)
        self.assertEqual(
            [event for event in self.server.broker.events() if event.get("event") == "client_connected"], [])

    def test_the_identity_of_the_key_decides(self):
        policy = self.write("policy.toml", """
[[role]]
name = "own"
rules = ["allow publish devices/${username}/#"]
""")
        self.serve("--set", f"access.policy={policy}", "--set", "access.psk_roles=own", *self.certificates())
        where = self.with_key("pump-7", KEY, "-u", "pump-8", "-V", "5", "-q", "1")
        run(self, "pub", "-t", "devices/pump-7/t", "-m", "1", where=where)
        refused = run(self, "pub", "-t", "devices/pump-8/t", "-m", "1", where=where, expect=None)
        self.assertIn("Not authorized", refused.report())

    def test_keys_are_read_again(self):
        self.serve()
        where = self.with_key("pump-9", KEY)
        run(self, "pub", "-t", "t", "-m", "x", where=self.with_key())
        self.write("keys", f"pump-9:{KEY}\n")
        self.wait_event("tls_reloaded")
        run(self, "pub", "-t", "t", "-m", "x", where=where)
        self.write("keys", "pump-9:secret\n")
        event = self.wait_event("tls_reload_failed")
        self.assertIn("keys: line 1: the key", event["reason"])
        self.assertNotIn("secret", event["reason"])
        run(self, "pub", "-t", "t", "-m", "x", where=where)

    def old_device(self, identity, key, suite, sends=b""):
        """A connection with TLS 1.2 and this suite; returns the process of openssl that has ended."""
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_2", "-cipher", suite,
             "-psk_identity", identity, "-psk", key, "-ign_eof" if sends else "-no_ign_eof"],
            input=sends, capture_output=True, timeout=limits.EVENT_SECONDS, check=False)

    def test_suites_of_small_devices(self):
        self.serve()
        for suite in ("PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"):
            with self.subTest(suite=suite):
                sends = packets.connect(suite, version=4) + b"\xe0\x00"  # DISCONNECT
                done = self.old_device("pump-7", KEY, suite, sends)
                self.assertIn(f"Cipher is {suite}", done.stdout.decode(errors="replace"))
                self.wait_event("client_connected", client=suite, user="pump-7", method="psk")

    def test_a_file_that_cannot_be_used_is_said_at_the_start(self):
        keys = self.write("keys", "pump-7\n")
        process = Process([chappe_command(), "serve", "--listen", "mqtts://127.0.0.1:0", "--set",
                           f"tls.psk_file={keys}", "--data", self.scratch_folder()])
        self.assertNotEqual(process.finish(), 0)
        self.assertIn(f"{keys}: line 1: there is no colon", process.report())


if __name__ == "__main__":
    unittest.main()
