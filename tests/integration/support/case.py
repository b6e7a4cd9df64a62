"""The base of every integration test: one broker, its clients, and their orderly end."""

import os
import tempfile
import unittest

from .ports import bindable
from .proxy import Proxy
from .server import Server

needs_ipv6 = unittest.skipUnless(bindable("::1"), "this machine has no IPv6")


class BrokerCase(unittest.TestCase):
    """Starts the broker under test before each test and stops it afterwards; a crash or sanitizer report fails the test."""

    # Options of Server for the whole class.
    server_options = {}

    def setUp(self):
        self.server = self.start_server(**self.server_options)

    def start_server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def start_proxy(self, **options):
        proxy = Proxy(self.server.host, self.server.port, **options)
        self.addCleanup(proxy.close)
        return proxy

    def scratch_folder(self):
        folder = tempfile.TemporaryDirectory(prefix="chappe-test-")
        self.addCleanup(folder.cleanup)
        return folder.name


def fixture(name):
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures", name)
