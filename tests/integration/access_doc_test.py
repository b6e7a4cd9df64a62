"""docs/access.md: its command lines work as they stand there, one after the other, beside a running broker."""

import os
import re
import textwrap
import unittest

from accounts_test import MOSQUITTO_PASSWD
from support.case import BrokerCase
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto
from tls_test import make_certificates

PASSWORD = "correct horse battery staple"
WRAPPER = """#!/bin/sh
case "$1 $2" in
    "role convert") exec "{chappe}" "$@" ;;
    user* | role* | ban* | explain* | refusals*) exec "{chappe}" "$@" --data "{data}" ;;
    *) exec "{chappe}" "$@" ;;
esac
"""


@unlike_mosquitto("has another document")
@unittest.skipUnless(os.access(MOSQUITTO_PASSWD, os.X_OK), "tests/integration/peers fetches mosquitto_passwd")
class CommandLinesTest(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.server = self.start_server(flags=["--set", "access.decision_log=true"])
        self.data = self.server.broker.data
        self.write("chappe", WRAPPER.format(chappe=chappe_command(), data=self.data), 0o700)
        self.write("pass", f"#!/bin/sh\necho '{PASSWORD}'\n", 0o700)
        self.write("display.password", PASSWORD + "\n", 0o600)
        self.write("chappe.toml", '[access]\nmethods = ["accounts"]\n')
        self.write("new.toml", '[[role]]\nname = "device"\nrules = ["allow publish devices/${username}/#"]\n')
        self.write("acl", "user pump-9\ntopic write sensors/pump-9/#\n")
        self.write("passwd", "")
        hashed = Process([MOSQUITTO_PASSWD, "-b", os.path.join(self.folder, "passwd"), "pump-9", PASSWORD])
        self.assertEqual(hashed.finish(), 0, hashed.report())
        make_certificates(self.folder, "--client", "pump-7")

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def lines(self):
        with open(os.path.join(ROOT, "docs", "access.md"), encoding="utf-8") as file:
            text = file.read()
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
            yield from textwrap.dedent(block).splitlines()

    def run_line(self, line):
        """The exit code, and what was said."""
        line = line.replace("/etc/mosquitto/", "").replace("/var/lib/chappe/", self.data + "/")
        process = Process(["sh", "-c", f'cd "{self.folder}" && PATH="$PWD:$PATH" && {line}'], stdin=True)
        self.addCleanup(process.kill)
        process.feed(PASSWORD.encode() + b"\n")  # For those that ask.
        return process.finish(), process.report()

    def test_they_work(self):
        count = 0
        for line in self.lines():
            with self.subTest(line=line):
                code, said = self.run_line(line)
                # An explanation may be that something is not allowed.
                self.assertIn(code, (0, 1) if line.startswith("chappe explain") else (0,), said)
            count += 1
        self.assertGreater(count, 30)
        code, said = self.run_line("chappe user list")
        self.assertIn("pump-9", said)
        self.assertNotIn("alice", said)


if __name__ == "__main__":
    unittest.main()
