"""docs/security.md: who follows the steps of "Closing the doors" has what they promise."""

import os
import re
import ssl
import socket
import textwrap

from support import limits, packets, ports
from support.case import BrokerCase
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto

NOT_AUTHORIZED = 5  # As CONNACK of 3.1.1 has it.


@unlike_mosquitto("has another document")
class ClosingTheDoorsTest(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.port = ports.free_port()
        os.symlink(chappe_command(), os.path.join(self.folder, "chappe"))
        with open(os.path.join(ROOT, "docs", "security.md"), encoding="utf-8") as file:
            steps = file.read().split("\n## Closing the doors\n", 1)[1].split("\n## ", 1)[0]
        self.said = []
        for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```", steps, re.DOTALL | re.MULTILINE):
            text = textwrap.dedent(block)
            self.write_configuration(text) if language == "toml" else self.run_lines(text)

    def write_configuration(self, text):
        for old, new in (("/var/lib/chappe", os.path.join(self.folder, "data")), ("0.0.0.0:8883", f"127.0.0.1:{self.port}")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(os.path.join(self.folder, "chappe.toml"), "w", encoding="utf-8") as file:
            file.write(text)

    def run_lines(self, text):
        process = self.shell("set -e\n" + text)
        self.assertEqual(process.finish(), 0, process.report())
        self.said += [line.decode() for line in process.stdout]

    def shell(self, script):
        process = Process(["sh", "-c", f'cd "{self.folder}" && PATH="$PWD:$PATH" && {script}'])
        self.addCleanup(process.kill)
        return process

    def serve(self):
        broker = self.shell("exec chappe serve --config chappe.toml")
        broker.wait_line(lambda line: b"listens on mqtts://" in line, seconds=limits.START_SECONDS)
        return broker

    def connack(self, flags=2, *texts):
        """The return code with which a client of 3.1.1 is answered."""
        context = ssl.create_default_context(cafile=os.path.join(self.folder, "certificates", "ca.pem"))
        body = packets.text("MQTT") + bytes([4, flags, 0, 60]) + b"".join(map(packets.text, ("probe", *texts)))
        with socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as stream:
                self.assertEqual(stream.version(), "TLSv1.3")
                stream.sendall(packets.packet(packets.CONNECT, 0, body))
                return stream.recv(4)[3]

    def test_the_account_gets_in_and_nobody_else(self):
        self.assertTrue([line for line in self.said if line.endswith("ok, 15 settings")], self.said)
        self.assertTrue([line for line in self.said if "allowed" in line], self.said)
        password = next(line.split()[-1] for line in self.said if line.startswith("password, shown only now: "))
        broker = self.serve()
        self.assertEqual(self.connack(0xC2, "pump-7", password), 0)
        self.assertEqual(self.connack(), NOT_AUTHORIZED)
        self.assertEqual(broker.terminate(), 0, broker.report())

    def test_the_roles_allow_no_more_than_is_said(self):
        for words in ("--user pump-7 publish sensors/pump-8/t", "--user pump-7 subscribe sensors/pump-7/t", "publish t", "subscribe t"):
            asked = self.shell(f"exec chappe explain {words} --config chappe.toml")
            self.assertEqual(asked.finish(), 1, asked.report())
