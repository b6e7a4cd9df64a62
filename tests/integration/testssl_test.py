"""What testssl.sh, which looks at a server as an attacker would, finds of a broker with certificates by `chappe cert`."""

import json
import os
import shutil
import unittest

from support import limits, ports
from support.process import Process
from support.server import unlike_mosquitto
from tls_test import TlsCase

BAD = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
# What may be found, and why it is right as it is.
EXPLAINED = {
    "cert_revocation": "a CA of one's own has no server that could be asked; the certificate ends by itself",
    "HSTS": "no pages are at this port, only WebSocket, which browsers do not redirect",
}
CHECKS = ["--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "--vulnerable"]


class TestsslCase(TlsCase):
    scheme = None
    checks = CHECKS

    def findings(self):
        report = self.file("report.json")
        # Without its own OpenSSL, which Debian does not have: the system's, and its own sockets for what that cannot speak.
        command = ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", "127.0.0.1",
                   "--add-ca", self.file("ca.pem"), "--jsonfile", report, *self.checks, f"localhost:{self.port}"]
        process = Process(command, env={**os.environ, "TERM": "dumb"})
        self.addCleanup(process.kill)
        process.finish(2 * limits.BULK_SECONDS)  # Its exit code counts oddities.
        with open(report, encoding="utf-8") as file:
            return {finding["id"].split(" ")[0]: finding for finding in json.load(file)}

    def serve_and_look(self):
        self.port = ports.free_port("127.0.0.1")
        flags = ["--tls-certificate", self.file("server.pem"), "--tls-key", self.file("server.key")]
        self.start_server(listen=[f"{self.scheme}://127.0.0.1:{self.port}"], flags=flags)
        findings = self.findings()
        self.assertEqual(findings["TLS1_3"]["finding"], "offered with final")  # So it has really looked.
        self.assertEqual(findings["heartbleed"]["severity"], "OK")
        bad = {name: finding for name, finding in findings.items() if finding["severity"] in BAD and name not in EXPLAINED}
        self.assertEqual(bad, {})
        return findings


slow = unittest.skipUnless(os.environ.get("CHAPPE_SLOW") == "1", "takes minutes: with CHAPPE_SLOW=1 only")
needs_testssl = unittest.skipUnless(shutil.which("testssl"), "testssl.sh is not installed")


@slow
@needs_testssl
@unlike_mosquitto("is not set up with certificates here")
class MqttsTest(TestsslCase):
    scheme = "mqtts"

    def test_nothing_is_found(self):
        self.serve_and_look()


@slow
@needs_testssl
@unlike_mosquitto("has no such listener")
class HttpsTest(TestsslCase):
    scheme = "https"
    checks = [*CHECKS, "--headers"]

    def test_nothing_is_found(self):
        self.assertIn("HSTS", self.serve_and_look())  # So it has looked at the headers too.


if __name__ == "__main__":
    unittest.main()
