"""What has been refused to whom: `chappe refusals` and logins.log."""

import json
import os
import stat

from access_test import PASSWORD, AccessCase
from support.mosquitto_tools import Subscriber, publish
from support.operator_commands import ask, ask_json
from support.polling import ask_until
from support.server import unlike_mosquitto


@unlike_mosquitto("has no such commands")
class RefusalsTest(AccessCase):
    def serve(self, *flags):
        self.server = self.start_server(flags=flags)
        self.data = self.server.broker.data
        self.change("role", "add", "sensor", "--rule", "allow all sensors/${username}/#")
        self.add("pump-7", "--role", "sensor")

    def refuse_one_of_each(self):
        self.connack("pump-7", "guess", client_id="guesser")
        me = self.as_user("pump-7")
        publish(self, "-V", "5", "-i", "pub", "-q", "1", "-t", "sensors/pump-8/x", "-m", "x", where=me, expect=None)
        wide = Subscriber(self, "-V", "5", "-i", "sub", topics=["sensors/#"], where=me, subscribed=False)
        narrow = Subscriber(self, "-V", "5", "-i", "sub2", topics=["sensors/pump-7/#"], where=me)
        self.wait_event("subscribe_refused", client="sub")
        self.change("user", "role", "pump-7", "--remove", "sensor")
        self.wait_event("subscription_revoked", client="sub2")
        wide.kill()
        narrow.kill()

    def logins(self, count):
        path = os.path.join(self.data, "logins.log")

        def read():
            with open(path, encoding="utf-8") as file:
                return [json.loads(line) for line in file]

        return ask_until(lambda lines: len(lines) >= count, read, f"{count} lines of logins.log")

    def test_are_listed_with_who_what_and_why(self):
        self.serve()
        self.refuse_one_of_each()
        found = ask_json(self, self.data, "refusals")["refusals"]
        self.assertEqual([(one["what"], one["client"], one["user"], one.get("topic"), one["code"]) for one in found], [
            ("connect", "guesser", "pump-7", None, "Bad User Name or Password"),
            ("publish", "pub", "pump-7", "sensors/pump-8/x", "Not authorized"),
            ("subscribe", "sub", "pump-7", "sensors/#", "Not authorized"),
            ("subscription", "sub2", "pump-7", "sensors/pump-7/#", "Not authorized"),
        ])
        self.assertEqual(found[0]["reason"], "accounts: the password is wrong")
        for one in found:
            self.assertRegex(one["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

        def clients(*words):
            return [one["client"] for one in ask_json(self, self.data, "refusals", *words)["refusals"]]

        self.assertEqual(clients("--what", "publish"), ["pub"])
        self.assertEqual(clients("--client", "sub2"), ["sub2"])
        self.assertEqual(clients("--user", "nobody"), [])
        self.assertEqual(clients("-t", "sensors/+/x"), ["pub"])
        self.assertEqual(clients("--count", "1"), ["sub2"])
        text = b"\n".join(ask(self, self.data, "refusals", "--what", "subscribe").stdout).decode()
        for word in ("subscribe", 'client="sub"', 'user="pump-7"', 'topic="sensors/#"', "reason="):
            self.assertIn(word, text)
        wrong = ask(self, self.data, "refusals", "--what", "bread", expect=1)
        self.assertIn(b"there are: connect, publish, subscribe, subscription", b"\n".join(wrong.stderr))

    def test_are_written_down_together_with_logins(self):
        self.serve()
        self.assertEqual(self.connack("pump-7", PASSWORD, client_id="good"), 0)
        self.refuse_one_of_each()
        lines = self.logins(8)
        kinds = [(line["event"], line["client"]) for line in lines]
        for wanted in (("client_connected", "good"), ("connect_refused", "guesser"), ("publish_refused", "pub"),
                       ("subscribe_refused", "sub"), ("subscription_revoked", "sub2")):
            self.assertIn(wanted, kinds)
        first = lines[0]
        self.assertEqual((first["user"], first["method"]), ("pump-7", "accounts"))
        self.assertRegex(first["address"], r"^127\.0\.0\.1:\d+$")
        mode = os.stat(os.path.join(self.data, "logins.log")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_alone_are_written_down_where_that_is_wanted(self):
        self.serve("--set", "access.login_log=refused")
        self.assertEqual(self.connack("pump-7", PASSWORD), 0)
        self.connack("pump-7", "guess")
        self.assertEqual([line["event"] for line in self.logins(1)], ["connect_refused"])

    def test_are_not_written_down_where_that_is_not_wanted(self):
        self.serve("--set", "access.login_log=off")
        self.connack("pump-7", "guess")
        self.wait_event("connect_refused", user="pump-7")
        self.assertFalse(os.path.exists(os.path.join(self.data, "logins.log")))
