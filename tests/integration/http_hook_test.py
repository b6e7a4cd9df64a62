"""An HTTP server that says who clients are: `access.methods = ["http"]`."""

import json
import os
import re
import signal
import sys
import threading
import time

from access_test import BAD_PASSWORD, PASSWORD, AccessCase
from support import limits, ports
from support.mosquitto_tools import Subscriber, publish
from support.polling import ask_until
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto
from support.web_server import WebServer
from tls_test import make_certificates

ACCEPTED, UNAVAILABLE = 0, 3  # As CONNACK of 3.1.1 has it.


class Hook:
    """Answers with what `decide` makes of the question: a status, or an object of JSON. Waits while `hangs` is set."""

    def __init__(self, case, decide, certificate=None, port=0):
        self.questions, self.headers = [], []
        self.go_on = threading.Event()
        self.go_on.set()

        def answer(handler, body):
            question = json.loads(body)
            self.headers.append(dict(handler.headers))
            self.questions.append(question)
            self.go_on.wait(limits.CLASS_SECONDS)
            said = decide(question)
            return (said, {}, b"") if isinstance(said, int) else (200, {}, json.dumps(said).encode())

        self._server = WebServer(case, answer, certificate, port)
        self.url = self._server.url + "/login"
        case.addCleanup(self.go_on.set)

    def hang(self):
        self.go_on.clear()

    def close(self):
        self.go_on.set()
        self._server.close()


def by_password(question):
    """The password says what is to be answered."""
    return {"deny": {"result": "deny", "reason": "not paid"}, "ignore": {"result": "ignore"}, "204": 204, "403": 403,
            "404": 404, "500": 500, "nonsense": ["allow"]}.get(question["password"], {"result": "allow"})


@unlike_mosquitto("has no such method without a plugin")
class HttpHookTest(AccessCase):
    def setUp(self):
        pass  # Each test says how its broker is started.

    @staticmethod
    def flags(url, methods="http", **settings):
        settings = {"url": url, **settings}
        return ["--set", f"access.methods={methods}", "--set", "limits.connect_timeout_seconds=60",
                *(word for name, value in settings.items() for word in ("--set", f"hook.{name}={value}"))]

    def serve(self, url, methods="http", **settings):
        self.server = self.start_server(flags=self.flags(url, methods, **settings))

    def wait_question(self, hook, count=1):
        ask_until(lambda questions: questions >= count, lambda: len(hook.questions), f"question {count}")

    def test_the_answer_decides(self):
        hook = Hook(self, by_password)
        self.serve(hook.url, "http,accounts", cache_seconds=0)
        self.add("bob")
        for password in ("allow", "204"):
            self.assertEqual(self.connack("carol", password), ACCEPTED)
            self.assertEqual(self.wait_event("client_connected", user="carol")["method"], "http")
        for password, why in {"deny": "http: denied: not paid", "403": "http: denied with status 403"}.items():
            self.assertEqual(self.connack("dave", password), BAD_PASSWORD)
            self.wait_event("connect_refused", user="dave", reason=why)
        for password, why in {"500": "http: the server has answered with status 500",
                              "nonsense": "http: the answer cannot be read: it is not a JSON object"}.items():
            self.assertEqual(self.connack("bob", password), UNAVAILABLE)
            self.wait_event("connect_refused", user="bob", reason=why)
        for password in ("ignore", "404"):  # The accounts are asked next.
            self.assertEqual(self.connack("bob", password), BAD_PASSWORD)
            self.assertIn("accounts: the password is wrong",
                          self.wait_event("connect_refused", user="bob", code="Bad User Name or Password")["reason"])
        self.assertEqual(hook.questions[0], {"user_name": "carol", "password": "allow", "client_id": "probe",
                                             "address": "127.0.0.1"})
        self.assertNotIn("Authorization", hook.headers[0])

    def test_what_it_knows_nothing_of_is_for_the_next_method(self):
        hook = Hook(self, lambda question: 404)
        self.serve(hook.url, "http,accounts")
        self.add("bob")
        self.assertEqual(self.connack("bob", PASSWORD), ACCEPTED)
        self.assertEqual(self.wait_event("client_connected", user="bob")["method"], "accounts")
        self.assertEqual(self.connack(), ACCEPTED)  # Anonymous: there is nothing to ask about.
        self.assertEqual(len(hook.questions), 1)

    def test_nobody_comes_in_where_there_is_no_answer(self):
        port = ports.free_port()
        self.serve(f"http://127.0.0.1:{port}/login", "http,accounts", timeout_seconds=1, cache_seconds=0)
        self.add("bob")
        self.assertEqual(self.connack("bob", PASSWORD), UNAVAILABLE)
        refused = self.wait_event("connect_refused", user="bob")
        self.assertIn(f"http: http://127.0.0.1:{port} does not accept connections: ", refused["reason"])
        self.assertEqual(refused["code"], "Server unavailable")
        hook = Hook(self, by_password, port=port)
        self.assertEqual(self.connack("bob", "allow"), ACCEPTED)
        hook.hang()
        self.assertEqual(self.connack("bob", "allow"), UNAVAILABLE)
        self.wait_event("connect_refused", reason=f"http: http://127.0.0.1:{port} has not answered within 1 s")

    def test_it_is_asked_once_for_a_while(self):
        hook = Hook(self, by_password)
        self.serve(hook.url)
        for _ in range(3):
            self.assertEqual(self.connack("bob", "allow"), ACCEPTED)
        self.assertEqual(len(hook.questions), 1)
        self.assertEqual(self.connack("bob", "allow", client_id="other"), ACCEPTED)
        self.assertEqual(self.connack("bob", "deny"), BAD_PASSWORD)
        self.assertEqual(self.connack("bob", "deny"), BAD_PASSWORD)
        self.assertEqual(len(hook.questions), 4)

    def test_roles_and_attributes_of_the_answer_hold(self):
        hook = Hook(self, lambda question: {"result": "allow", "user_name": "pump-7", "roles": ["site", "admin"],
                                            "attributes": {"site": question["password"]}})
        self.serve(hook.url, roles="", roles_allowed="site")
        self.change("role", "add", "site", "--rule", "allow all sites/${claim.site}/#")
        north, south = self.as_user("x", "north"), self.as_user("x", "south")
        subscriber = Subscriber(self, topics=["sites/north/#"], where=north)
        publish(self, "-t", "sites/north/x", "-m", "no", "-q", "1", where=south, expect=None)
        publish(self, "-t", "other", "-m", "no", "-q", "1", where=north, expect=None)  # `admin` is not allowed.
        publish(self, "-t", "sites/north/x", "-m", "yes", "-q", "1", where=north)
        self.assertEqual([message.payload for message in subscriber.messages(1)], [b"yes"])
        self.wait_event("client_connected", user="pump-7")

    def test_over_https_with_a_ca_of_its_own_and_a_secret(self):
        folder = self.scratch_folder()
        make_certificates(folder, "--name", "127.0.0.1")
        secret = os.path.join(folder, "secret")

        def write_secret(text):
            with open(secret + ".new", "w", encoding="utf-8") as file:
                file.write(text + "\n")
            os.chmod(secret + ".new", 0o600)
            os.replace(secret + ".new", secret)

        write_secret("first")
        hook = Hook(self, by_password, certificate=os.path.join(folder, "server"))
        self.serve(hook.url, secret=f"file:{secret}", ca_file=os.path.join(folder, "ca.pem"), cache_seconds=0)
        self.assertEqual(self.connack("bob", "allow"), ACCEPTED)
        self.assertEqual(hook.headers[-1]["Authorization"], "Bearer first")
        write_secret("second")
        self.wait_event("login_hook", level="info")
        self.assertEqual(self.connack("bob", "allow"), ACCEPTED)
        self.assertEqual(hook.headers[-1]["Authorization"], "Bearer second")
        self.assertNotIn(b"first", b"\n".join(self.server.process.stderr))
        self.server.stop()
        self.serve(hook.url)  # The system does not know this CA.
        self.assertEqual(self.connack("bob", "allow"), UNAVAILABLE)
        self.assertIn("has a certificate that cannot be trusted: ", self.wait_event("connect_refused")["reason"])

    def test_who_needs_no_answer_does_not_wait_for_it(self):
        hook = Hook(self, by_password)
        self.serve(hook.url, "accounts,http", timeout_seconds=60)
        self.add("alice")
        hook.hang()
        codes = []
        waiting = [threading.Thread(target=lambda i=i: codes.append(self.connack(f"user-{i}", "allow", f"client-{i}")))
                   for i in range(20)]
        for thread in waiting:
            thread.start()
        self.wait_question(hook, 16)  # As many as are asked about at a time.
        self.assertEqual(self.connack("alice", PASSWORD), ACCEPTED)
        self.assertEqual(self.connack(), ACCEPTED)
        hook.go_on.set()
        for thread in waiting:
            thread.join(limits.EVENT_SECONDS)
        self.assertEqual(codes, [ACCEPTED] * 20)

    def test_the_broker_stops_while_it_waits(self):
        hook = Hook(self, by_password)
        self.serve(hook.url, timeout_seconds=60)
        hook.hang()

        def ask():
            try:
                self.connack("bob", "allow")
            except (OSError, IndexError):
                pass  # The connection is closed without an answer.

        waiting = threading.Thread(target=ask)
        waiting.start()
        self.wait_question(hook)
        began = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - began, limits.STOP_SECONDS / 2)
        waiting.join(limits.EVENT_SECONDS)

    def test_the_example_of_the_documentation(self):
        secret = os.path.join(self.scratch_folder(), "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("between us\n")
        with open(os.path.join(ROOT, "docs", "access.md"), encoding="utf-8") as file:
            program = re.search(r"```python\n# users\.py\n(.*?)```", file.read(), re.DOTALL)[1]
        port = ports.free_port()
        example = Process([sys.executable, "-c", program.replace("/etc/chappe/hook.secret", secret)
                           .replace("8000", str(port))])
        self.addCleanup(example.kill)
        self.serve(f"http://127.0.0.1:{port}/mqtt-login", "accounts,http", secret=f"file:{secret}", roles_allowed="viewer")
        ask_until(lambda code: code != UNAVAILABLE, lambda: self.connack("x", "x", "probe"), "example that answers")
        self.assertEqual(self.connack("pump-7", "a good password"), ACCEPTED)
        self.assertEqual(self.connack("pump-7", "another"), BAD_PASSWORD)
        self.wait_event("connect_refused", user="pump-7", code="Bad User Name or Password")

    def test_nobody_comes_past_it_where_it_cannot_be_asked(self):
        config = os.path.join(self.scratch_folder(), "chappe.toml")

        def write(text):
            with open(config, "w", encoding="utf-8") as file:
                file.write(text)

        write('[access]\nmethods = ["accounts"]\n')
        self.server = self.start_server(flags=["--config", config])
        self.add("bob")
        self.assertEqual(self.connack("bob", PASSWORD), ACCEPTED)
        write('[access]\nmethods = ["http", "accounts"]\n[hook]\nurl = "http://127.0.0.1:1/"\n'
              'secret = "file:/nowhere/secret"\n')
        self.server.process.signal(signal.SIGHUP)
        self.assertIn("hook.secret: ", self.wait_event("login_hook", level="error")["reason"])
        self.assertEqual(self.connack("bob", PASSWORD), UNAVAILABLE)

    def test_what_it_cannot_be_asked_with_is_said_at_the_start(self):
        url = "http://127.0.0.1:1/"
        for flags, why in (
            (self.flags(""), "hook.url: it must be said which server is asked"),
            (self.flags("ftp://x/"), "hook.url: "),
            (self.flags(url, secret="s3cret"), "hook.secret: "),
            (self.flags(url, ca_file="/nowhere/ca.pem"), "hook.ca_file: /nowhere/ca.pem"),
            (self.flags(url, timeout_seconds=0), "hook.timeout_seconds"),
        ):
            process = Process([chappe_command(), "serve", "--data", self.scratch_folder(),
                               "--listen", "mqtt://127.0.0.1:0", *flags])
            self.addCleanup(process.kill)
            self.assertNotEqual(process.finish(), 0, process.report())
            said = b"\n".join(process.stderr).decode()
            self.assertIn(why, said)
            self.assertNotIn("s3cret", said)
