"""What an operator asks of a running broker: `chappe drops`, `chappe disconnect` and `chappe redirect`."""

import json
import os
import stat
import unittest

from support import limits
from support.case import BrokerCase
from support.operator_commands import ask, ask_json, wait_drops
from support.paho_client import V5, V311, PahoClient
from support.process import Process
from support.server import chappe_command, unlike_mosquitto


@unlike_mosquitto("has no such commands")
class OperatorTest(BrokerCase):
    def setUp(self):
        self.data = os.path.join(self.scratch_folder(), "data")
        self.server = self.start_server(data=self.data, limits_={"queue_messages_max": 2})

    def ask(self, *words, expect=0):
        return ask(self, self.data, *words, expect=expect)

    def ask_json(self, *words, expect=0):
        return ask_json(self, self.data, *words, expect=expect)

    @staticmethod
    def said(process):
        return b"\n".join(process.stderr).decode()

    def fill_a_queue(self):
        """Leaves two of five messages for "absent". Returns the first three, which are dropped."""
        PahoClient(self, "absent", clean=False, connect={"SessionExpiryInterval": 60}).connect().subscribe("site/#", 1)
        self.leave("absent")
        publisher = PahoClient(self, "publisher").connect()
        for number in range(5):
            publisher.publish(f"site/{number}", b"x", 1)
        return wait_drops(self, self.data, 3)

    def leave(self, client_id):
        client = PahoClient(self, client_id, clean=False, connect={"SessionExpiryInterval": 60}).connect()
        client.disconnect()

    def test_drops_are_listed_with_client_topic_reason_and_time(self):
        drops = self.fill_a_queue()
        self.assertEqual([(d["client"], d["topic"], d["reason"]) for d in drops],
                         [("absent", f"site/{number}", "queue_full") for number in range(3)])
        for drop in drops:
            self.assertRegex(drop["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        text = b"\n".join(self.ask("drops").stdout).decode()
        for word in ("absent", "site/2", "queue_full"):
            self.assertIn(word, text)

    def test_drops_are_picked_by_client_topic_and_reason(self):
        self.fill_a_queue()
        def topics(*words):
            return [drop["topic"] for drop in self.ask_json("drops", *words)["drops"]]

        self.assertEqual(topics("--client", "absent", "-t", "+/1"), ["site/1"])
        self.assertEqual(topics("--client", "somebody"), [])
        self.assertEqual(topics("--reason", "expired"), [])
        self.assertEqual(len(topics("--reason", "queue_full")), 3)
        self.assertEqual(topics("--count", "2"), ["site/1", "site/2"])
        wrong = self.ask("drops", "--reason", "queue_fool", expect=1)
        self.assertIn("queue_full", b"\n".join(wrong.stderr).decode())

    def test_disconnect_ends_one_connection(self):
        one, other = PahoClient(self, "one").connect(), PahoClient(self, "other").connect()
        self.ask("disconnect", "one")
        self.assertEqual(one.wait_disconnected()[0], 0x98)  # Administrative action.
        other.publish("still/here", b"x", 1)
        self.ask("disconnect", "one", expect=1)  # It is not there any more.
        self.assertEqual(self.ask_json("disconnect", "one", expect=1), {"disconnected": False})
        self.assertEqual(self.ask_json("disconnect", "other"), {"disconnected": True})

    def test_redirect_sends_clients_of_5_0_elsewhere(self):
        modern = PahoClient(self, "modern", V5).connect()
        old = PahoClient(self, "old", V311).connect()
        self.ask("redirect", "--to", "other.example.org:1883")
        code, values = modern.wait_disconnected()[:2]
        self.assertEqual(code, 0x9C)
        self.assertEqual(values.ServerReference, "other.example.org:1883")
        old.publish("still/here", b"x", 1)

    def test_redirect_of_new_clients_until_it_is_stopped(self):
        self.ask("redirect", "--to", "other.example.org:1883", "--permanent", "--new")
        refused = PahoClient(self, "late").connect(expect=0x9D)
        self.assertEqual(refused.connack()["ServerReference"], "other.example.org:1883")
        self.ask("redirect", "--stop")
        PahoClient(self, "later").connect()

    def test_redirect_must_be_told_where_to(self):
        self.assertIn("--to", self.said(self.ask("redirect", expect=2)))
        self.assertIn("--to", self.said(self.ask("redirect", "--new", expect=2)))

    def test_a_misspelt_option_is_named_with_the_one_that_was_meant(self):
        self.assertIn('"--reson"; did you mean --reason?', self.said(self.ask("drops", "--reson", "x", expect=2)))
        self.assertIn('"--reson"; did you mean --reason?', self.said(self.ask("drops", "--reson=x", expect=2)))
        self.assertIn('"too"', self.said(self.ask("disconnect", "one", "too", "many", expect=2)))

    def control(self, command, request):
        """Through the socket itself, as a program would."""
        process = Process([chappe_command(), "request", "--unix", os.path.join(self.data, "control.sock"),
                           "-t", "$CONTROL/chappe/v1/" + command, "-m", json.dumps(request)])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), 0, process.report())
        return json.loads(b"\n".join(process.stdout))

    def test_a_ban_holds_when_it_is_answered(self):
        stays, victim = PahoClient(self, "stays").connect(), PahoClient(self, "victim").connect()
        self.assertEqual(self.control("ban", {"kind": "client", "value": "victim", "reason": "too loud"}),
                         {"banned": "victim"})
        victim.wait_disconnected()
        (ban,) = self.control("bans", {})["bans"]
        self.assertEqual((ban["kind"], ban["value"], ban["until"], ban["reason"]), ("client", "victim", None, "too loud"))
        PahoClient(self, "victim").connect(expect=0x8A)
        self.assertEqual(self.control("unban", {"kind": "client", "value": "victim"}), {"unbanned": "victim"})
        PahoClient(self, "victim").connect().publish("t", b"x", 1)
        stays.publish("t", b"x", 1)
        self.assertIn("there is no ban", self.control("unban", {"kind": "client", "value": "victim"})["error"])
        audit = os.path.join(self.data, "audit.log")
        with open(audit, encoding="utf-8") as file:
            done = [json.loads(line) for line in file if "control socket" in line]
        self.assertEqual([(line["what"], line["target"], line.get("detail", "")) for line in done],
                         [("ban add", "client victim", "for ever"), ("ban remove", "client victim", "")])
        os.remove(audit)
        os.mkdir(audit)  # Nothing is done that cannot be recorded.
        self.assertIn("audit.log", self.control("ban", {"kind": "client", "value": "victim"})["error"])
        self.assertEqual(self.control("bans", {})["bans"], [])

    def test_only_the_user_who_runs_the_broker_may_ask(self):
        socket_path = os.path.join(self.data, "control.sock")
        self.assertEqual(stat.S_IMODE(os.stat(socket_path).st_mode), 0o600)
        # Through any other listener there is no $CONTROL.
        client = PahoClient(self, "nosy").connect()
        self.assertGreaterEqual(client.subscribe("$CONTROL/#"), 0x80)
        victim = PahoClient(self, "victim").connect()
        client.publish("$CONTROL/chappe/v1/disconnect", b'{"client": "victim"}', 1)
        victim.publish("still/here", b"x", 1)

    def test_a_full_broker_still_answers(self):
        self.server = self.start_server(data=os.path.join(self.scratch_folder(), "data"),
                                        limits_={"connections_max": 1, "sessions_max": 1})
        self.data = self.server.broker.data
        client = PahoClient(self, "pump-7").connect()
        PahoClient(self, "late").connect(expect=0x89)
        self.assertEqual(self.ask_json("drops")["drops"], [])
        self.ask("disconnect", "pump-7")
        self.assertEqual(client.wait_disconnected()[0], 0x98)

    def test_without_a_broker_the_command_says_where_it_looked(self):
        self.server.stop()
        refused = self.ask("drops", expect=1)
        self.assertIn(os.path.join(self.data, "control.sock"), b"\n".join(refused.stderr).decode())


if __name__ == "__main__":
    unittest.main()
