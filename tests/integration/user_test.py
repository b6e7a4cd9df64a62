"""`server.user`: started by root, the broker runs as another user, also where it listens on a low port."""

import os
import pwd
import socket
import stat
import unittest

from support.case import BrokerCase
from support.mosquitto_tools import publish
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

USER = "nobody"


def free_low_port():
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port below 1024 is free")


@unlike_mosquitto("has a setting of its own for that")
class UserTest(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.data = os.path.join(self.folder, "data")

    def refused(self, *words):
        process = Process([chappe_command(), "serve", "--data", self.data, "--listen", "mqtt://127.0.0.1:0", *words])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), 1, process.report())
        return b"\n".join(process.stderr).decode()

    @unittest.skipUnless(os.getuid() == 0, "only root can become somebody else")
    def test_nothing_of_root_is_left(self):
        os.chmod(self.folder, 0o755)
        os.mkdir(self.data)
        os.chown(self.data, pwd.getpwnam(USER).pw_uid, -1)
        port = free_low_port()
        self.server = self.start_server(listen=[f"mqtt://127.0.0.1:{port}"], data=self.data, flags=["--set", f"server.user={USER}"])
        publish(self, "-q", "1", "-t", "t", "-m", "x")
        pid = self.server.process.pid
        uid = str(pwd.getpwnam(USER).pw_uid)
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            self.assertEqual(status["Uid"].split(), [uid] * 4)
            self.assertEqual([int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")], [0] * 4)
            if thread == str(pid):  # What it started before, for its log, starts nothing.
                self.assertEqual(status["NoNewPrivs"], "1")
            self.assertNotIn("0", status["Groups"].split())
        for name in ("chappe.db", "control.sock", "logins.log"):
            self.assertEqual(os.stat(os.path.join(self.data, name)).st_uid, int(uid), name)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.data, "chappe.db")).st_mode) & 0o077, 0)

    @unittest.skipUnless(os.getuid() == 0, "only root can become somebody else")
    def test_a_data_directory_of_somebody_else_is_named(self):
        os.mkdir(self.data, 0o700)
        self.assertIn(f"server.user: {USER} cannot write to the data directory {self.data}", self.refused("--set", f"server.user={USER}"))

    @unittest.skipIf(os.getuid() == 0, "root can")
    def test_only_root_becomes_somebody_else(self):
        self.assertIn("only root can become " + USER, self.refused("--set", f"server.user={USER}"))

    def test_a_user_that_there_is_not_is_named(self):
        self.assertIn("server.user: there is no user no-such-user", self.refused("--set", "server.user=no-such-user"))
