"""What packaging/install has installed: the broker starts with the configuration that comes with it, as the unit would start it."""

import os
import re
import shlex
import unittest

from support import ports
from support.case import BrokerCase
from support.mosquitto_tools import publish
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto


@unlike_mosquitto("is installed by Debian")
class InstalledTest(BrokerCase):
    def setUp(self):
        self.root = self.scratch_folder()
        script = [os.path.join(ROOT, "packaging", "install"), "--binary", chappe_command()]
        installing = Process(script, env={**os.environ, "DESTDIR": self.root})
        self.assertEqual(installing.finish(), 0, installing.report())

    def command(self, name):
        """The first of the unit with this name, as it is where the folder stands for /."""
        with open(self.root + "/usr/local/lib/systemd/system/chappe.service", encoding="utf-8") as file:
            words = re.search(f"^{name}=(.*)", file.read(), re.MULTILINE)[1]
        return [self.root + word if word.startswith("/") else word for word in shlex.split(words)]

    def test_it_starts_as_it_is_and_serves(self):
        port = ports.free_port()
        own = ["--data", self.root + "/var/lib/chappe", "--listen", f"mqtt://127.0.0.1:{port}"]
        broker = Process([*self.command("ExecStart"), *own], env={**os.environ, "JOURNAL_STREAM": "8:1"})
        self.addCleanup(broker.kill)
        broker.wait_line(lambda line: line == b"Chappe listens on mqtt://127.0.0.1:%d" % port)
        publish(self, "-q", "1", "-t", "t", "-m", "x", where=["-h", "127.0.0.1", "-p", str(port)])
        self.assertEqual(broker.terminate(), 0, broker.report())
        self.assertFalse([line for line in broker.stdout if b"shown this once" in line])  # The journal would keep it.

    def test_what_comes_first_at_a_reload_finds_no_error(self):
        check = Process(self.command("ExecReload"))
        self.assertEqual(check.finish(), 0, check.report())

    def test_every_setting_that_is_proposed_there_is_right(self):
        path = self.root + "/etc/chappe/chappe.toml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        files = dict.fromkeys(re.findall(r'"(/[^"]*\.(?:pem|key|toml))"', text))
        make = Process([chappe_command(), "cert", "--dir", self.root, "--name", "localhost"])
        self.assertEqual(make.finish(), 0, make.report())
        with open(self.root + "/policy.toml", "w", encoding="utf-8"):
            pass
        for name in files:
            text = text.replace(f'"{name}"', f'"{self.root}/{os.path.basename(name)}"')
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE))
        check = Process([chappe_command(), "check", path])
        self.assertEqual(check.finish(), 0, check.report())
        self.assertGreaterEqual(len(files), 3)


if __name__ == "__main__":
    unittest.main()
