"""What the broker tells systemd, or who else starts it and waits for it to be up: sd_notify(3)."""

import os
import socket
import unittest

from support import limits
from support.case import BrokerCase
from support.process import Process
from support.server import chappe_command, unlike_mosquitto


@unlike_mosquitto("tells systemd less")
class ServiceManagerTest(unittest.TestCase):
    def setUp(self):
        self.folder = BrokerCase.scratch_folder(self)

    def serve(self, notify_socket):
        command = [chappe_command(), "serve", "--data", os.path.join(self.folder, "data"), "--listen", "mqtt://127.0.0.1:0"]
        broker = Process(command, env={**os.environ, "NOTIFY_SOCKET": notify_socket})
        self.addCleanup(broker.kill)
        return broker

    def manager(self, address):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(limits.START_SECONDS)
        manager.bind(address)
        return manager

    def test_it_is_told_when_clients_can_connect_and_when_not_any_more(self):
        path = os.path.join(self.folder, "notify")
        manager = self.manager(path)
        broker = self.serve(path)
        self.assertEqual(manager.recv(100), b"READY=1")
        broker.wait_line(lambda line: line.startswith(b"Chappe listens on"))
        self.assertEqual(broker.terminate(), 0)
        self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_its_socket_may_have_a_name_without_a_file(self):
        name = f"chappe-test-{os.getpid()}"
        manager = self.manager("\0" + name)
        broker = self.serve("@" + name)
        self.assertEqual(manager.recv(100), b"READY=1")
        self.assertEqual(broker.terminate(), 0)

    def test_one_that_is_not_there_is_a_line_in_the_log(self):
        broker = self.serve(os.path.join(self.folder, "none"))
        broker.wait_line(lambda line: b"notify the service manager: No such file" in line, broker.stderr)
        self.assertEqual(broker.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
