"""Who may connect and what they may do: accounts, certificates, roles and bans of a running broker."""

import json
import os
import socket
import sqlite3
import stat

from support import limits, packets
from support.case import BrokerCase
from support.mosquitto_tools import Subscriber, publish
from support.process import Process
from support.server import chappe_command, unlike_mosquitto
from tls_test import TlsCase

PASSWORD = "correct horse battery"
NOT_AUTHORIZED, BAD_PASSWORD, BANNED = 5, 4, 5  # As CONNACK of 3.1.1 has it.
NOT_AUTHORIZED_5 = b"\x87"  # As 5.0 has it.


class AccessCase(BrokerCase):
    def change(self, *words, stdin=None):
        """A command that changes something; the broker has noticed when this returns."""
        before = len(self.server.broker.logged("access_changed"))
        self.chappe(*words, stdin=stdin)
        self.server.process.wait_for(lambda: len(self.server.broker.logged("access_changed")) > before or None,
                                     what="the broker to notice " + " ".join(words))

    def chappe(self, *words, expect=0, stdin=None):
        process = Process([chappe_command(), *words, "--data", self.server.broker.data], stdin=stdin is not None)
        self.addCleanup(process.kill)
        if stdin is not None:
            process.feed(stdin.encode())
        self.assertEqual(process.finish(), expect, process.report())
        return b"\n".join(process.stdout).decode()

    def add(self, name, *words, password=PASSWORD):
        self.change("user", "add", name, *words, stdin=password + "\n")

    def as_user(self, name, password=PASSWORD):
        return ["-h", self.server.host, "-p", str(self.server.port), "-u", name, "-P", password]

    def connack(self, name=None, password=None, client_id="probe", host=None, port=None):
        """The return code with which a client of 3.1.1 is answered."""
        flags, payload = 2, packets.text(client_id)
        if name is not None:
            flags, payload = flags | 0x80, payload + packets.text(name)
        if password is not None:
            flags, payload = flags | 0x40, payload + packets.text(password)
        body = packets.text("MQTT") + bytes([4, flags, 0, 60]) + payload
        with socket.create_connection((host or self.server.host, port or self.server.port), limits.EVENT_SECONDS) as one:
            one.settimeout(limits.EVENT_SECONDS)
            one.sendall(packets.packet(packets.CONNECT, 0, body))
            return one.recv(4)[3]

    def refused(self, topic):
        """Whether a client without an account is told that it may not publish to the topic."""
        message = packets.text(topic) + b"\0\1" + b"\0" + b"x"
        with socket.create_connection((self.server.host, self.server.port), limits.EVENT_SECONDS) as one:
            one.settimeout(limits.EVENT_SECONDS)
            one.sendall(packets.connect("probe") + packets.packet(packets.PUBLISH, 2, message))
            answer = next(packet for packet in self.packets_from(one) if packet.kind == packets.PUBACK)
        return answer.body[2:3] == NOT_AUTHORIZED_5

    @staticmethod
    def packets_from(stream):
        data = b""
        while piece := stream.recv(4096):
            found, data = packets.split_packets(data + piece)
            yield from found

    def wait_event(self, kind, **fields):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == kind and fields.items() <= event.items()), None)

        return self.server.process.wait_for(found, what=kind)


@unlike_mosquitto("has no such accounts")
class AccountsTest(AccessCase):
    def setUp(self):
        self.server = self.start_server()

    def test_an_account_lets_in_and_no_longer(self):
        self.assertEqual(self.connack("alice", PASSWORD), BAD_PASSWORD)
        self.add("alice")
        self.assertEqual(self.connack("alice", PASSWORD), 0)
        self.assertEqual(self.connack("alice", "wrong"), BAD_PASSWORD)
        refused = self.wait_event("connect_refused", user="alice", reason="accounts: the password is wrong")
        self.assertEqual(refused["code"], "Bad User Name or Password")
        self.change("user", "disable", "alice")
        self.assertEqual(self.connack("alice", PASSWORD), BAD_PASSWORD)
        self.change("user", "enable", "alice")
        self.assertEqual(self.connack("alice", PASSWORD), 0)
        self.change("user", "remove", "alice")
        self.assertEqual(self.connack("alice", PASSWORD), BAD_PASSWORD)
        self.assertEqual(self.connack(), 0)  # From this machine, without a name.

    def test_the_administrator_of_the_first_start(self):
        (admin,) = json.loads(self.chappe("user", "list", "--json"))["users"]
        self.assertEqual((admin["name"], admin["roles"]), ("admin", ["admin"]))

    def test_who_is_connected_leaves_with_the_account(self):
        self.add("alice")
        self.assertEqual(self.connack("alice", PASSWORD), 0)
        for words in (("user", "passwd", "alice"), ("user", "disable", "alice")):
            subscriber = Subscriber(self, "-V", "5", "-i", words[1], topics=["t"], where=self.as_user("alice"))
            self.change(*words, stdin=PASSWORD + "\n" if words[1] == "passwd" else None)
            self.wait_event("client_disconnected", client=words[1], code="Not authorized",
                            reason="the account has been changed")
            subscriber.kill()

    def test_guessing_is_slowed_down(self):
        self.add("alice")
        self.assertEqual(self.connack("alice", PASSWORD), 0)
        for _ in range(5):
            self.assertEqual(self.connack("alice", "wrong"), BAD_PASSWORD)
        self.assertEqual(self.connack("alice", PASSWORD), BANNED)
        self.wait_event("connect_refused", code="Banned", user="alice")

    def test_bans(self):
        self.change("ban", "add", "client", "noisy", "--reason", "too loud")
        self.assertEqual(self.connack(client_id="noisy"), BANNED)
        self.assertEqual(self.connack(client_id="other"), 0)
        self.wait_event("connect_refused", client="noisy", reason="the client identifier is banned: too loud")
        self.change("ban", "remove", "client", "noisy")
        self.assertEqual(self.connack(client_id="noisy"), 0)

    def test_listener_for_accounts_only(self):
        folder = self.scratch_folder()
        config = os.path.join(folder, "c.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[[listener]]\nurl = "mqtt://127.0.0.1:0"\nallow_anonymous = false\n')
        self.server = self.start_server(listen=(), flags=["--config", config])
        self.add("alice")
        self.assertEqual(self.connack("alice", PASSWORD), 0)
        self.assertEqual(self.connack(), NOT_AUTHORIZED)


@unlike_mosquitto("has no such accounts")
class UnreadableAccountsTest(AccessCase):
    """The roles and bans in a chappe.db are never lost by starting without it."""

    def setUp(self):
        self.data = self.scratch_folder()
        self.path = os.path.join(self.data, "chappe.db")
        made = Process([chappe_command(), "role", "add", "anonymous", "--data", self.data])
        self.assertEqual(made.finish(), 0, made.report())

    def serve(self, data=None):
        broker = Process([chappe_command(), "serve", "--data", data or self.data, "--listen", "mqtt://127.0.0.1:0"])
        self.addCleanup(broker.kill)
        return broker

    def assert_refused(self, *reasons):
        broker = self.serve()
        self.assertEqual(broker.finish(), 1, broker.report())
        said = b"\n".join(broker.stderr).decode()
        for words in (self.path, "move it away to begin without accounts", *reasons):
            self.assertIn(words, said)
        self.assertEqual(broker.stdout, [])

    def test_no_database(self):
        for name in os.listdir(self.data):
            os.remove(os.path.join(self.data, name))
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("not a database" * 1000)
        self.assert_refused("it is not a database of SQLite")
        with open(self.path, encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("not a database"))

    def test_damaged_in_the_middle(self):
        with open(self.path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        self.assert_refused("it is damaged")

    def test_a_database_of_somebody_else(self):
        os.remove(self.path)
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE t (x)")
        database.close()
        self.assert_refused("not of the kind that Chappe keeps there")

    def test_no_file(self):
        os.remove(self.path)
        os.mkdir(self.path)
        self.assert_refused("cannot open")

    def test_a_link_to_where_no_disk_is_mounted(self):
        os.remove(self.path)
        os.symlink(self.data + "/disk/chappe.db", self.path)
        self.assert_refused("cannot open")

    def test_where_none_can_be_made_those_who_need_none_are_served(self):
        broker = self.serve("/dev/null/data")
        broker.wait_line(lambda line: b"accounts cannot be used" in line, broker.stderr)
        broker.wait_line(lambda line: line.startswith(b"Chappe listens on"))
        self.assertEqual(broker.terminate(), 0)


@unlike_mosquitto("has no such roles")
class RolesTest(AccessCase):
    def setUp(self):
        self.server = self.start_server()
        self.change("role", "add", "sensor", "--rule", "allow publish sensors/${username}/#")
        self.change("role", "add", "reader", "--rule", "allow subscribe sensors/#")
        self.add("pump-7", "--role", "sensor")
        self.add("desk", "--role", "reader")

    def test_what_is_not_allowed_is_refused_with_the_reason(self):
        subscriber = Subscriber(self, "-V", "5", "-q", "1", topics=["sensors/#"], where=self.as_user("desk"))
        for topic in ("sensors/pump-7/t", "sensors/pump-8/t", "other"):
            publish(self, "-V", "5", "-q", "1", "-t", topic, "-m", topic, where=self.as_user("pump-7"))
        refused = self.wait_event("publish_refused", topic="sensors/pump-8/t")
        self.assertEqual(refused["reason"], "no rule allows publishing to this topic")
        publish(self, "-V", "5", "-q", "1", "-t", "sensors/pump-7/end", "-m", "x", where=self.as_user("pump-7"))
        self.assertEqual([m.topic for m in subscriber.messages(2)], ["sensors/pump-7/t", "sensors/pump-7/end"])
        explained = self.chappe("explain", "--user", "pump-7", "publish", "sensors/pump-8/t", expect=1)
        self.assertIn("no rule allows publishing to this topic", explained)
        self.assertIn("allow publish sensors/${username}/#", explained)

    def test_a_rule_that_is_taken_away_ends_subscriptions(self):
        subscriber = Subscriber(self, "-i", "s", topics=["sensors/#"], where=self.as_user("desk"))
        publish(self, "-t", "sensors/a", "-m", "1")
        self.assertEqual(len(subscriber.messages(1)), 1)
        self.change("role", "rule", "reader", "remove", "1")
        revoked = self.wait_event("subscription_revoked", client="s")
        self.assertEqual(revoked["topic"], "sensors/#")
        publish(self, "-t", "sensors/a", "-m", "2")
        self.change("role", "rule", "reader", "add", "allow subscribe sensors/#")
        self.assertIn("allowed by", self.chappe("explain", "--user", "desk", "subscribe", "sensors/#"))
        publish(self, "-t", "sensors/a", "-m", "3")
        self.assertEqual([m.payload for m in subscriber.received()], [b"1"])

    def test_anonymous_clients_have_a_role_once_there_is_one(self):
        self.assertIn("allowed", self.chappe("explain", "publish", "a"))
        self.change("role", "add", "anonymous", "--rule", "allow publish in")
        self.assertTrue(self.refused("out"))
        self.assertFalse(self.refused("in"))


@unlike_mosquitto("has another policy file")
class PolicyFileTest(AccessCase):
    def setUp(self):
        self.path = os.path.join(self.scratch_folder(), "policy.toml")
        self.write('[[role]]\nname = "anonymous"\nrules = [\n  "allow publish in",\n]\n')
        self.server = self.start_server(flags=["--set", f"access.policy={self.path}"])

    def write(self, text):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.path + ".new", self.path)

    def test_is_read_again_when_it_changes(self):
        self.assertTrue(self.refused("out"))
        self.assertFalse(self.refused("in"))
        self.write('[[role]]\nname = "anonymous"\nrules = ["allow publish out"]\n')
        self.wait_event("access_changed")
        self.assertFalse(self.refused("out"))
        self.assertTrue(self.refused("in"))

    def test_one_with_an_error_is_reported_and_the_old_one_stays(self):
        self.write('[[role]]\nname = "anonymous"\nrules = [\n  "allow publish out",\n  "allow publsh x",\n]\n')
        event = self.wait_event("policy")
        self.assertIn(f'{self.path}:5: error: "allow publsh x": there is no action "publsh"', event["reason"])
        self.assertTrue(self.refused("out"))
        self.assertFalse(self.refused("in"))

    def test_a_folder_in_its_place_is_reported_and_the_old_one_stays(self):
        os.remove(self.path)
        os.mkdir(self.path)
        self.assertIn("cannot be read: Is a directory", self.wait_event("policy")["reason"])
        self.assertFalse(self.refused("in"))

    def test_explain_names_file_and_line(self):
        words = ("explain", "--set", f"access.policy={self.path}")
        self.assertIn(f"allowed by {self.path}:4 (role anonymous)", self.chappe(*words, "publish", "in"))
        answer = json.loads(self.chappe(*words, "--json", "publish", "out", expect=1))
        self.assertFalse(answer["allowed"])
        self.assertEqual([(one["line"], one["why"]) for one in answer["considered"]], [(4, "another topic")])

    def test_a_broker_does_not_start_with_a_wrong_one(self):
        self.write("[[role]]\nrules = []\n[[group]]\n")
        process = Process([chappe_command(), "serve", "--data", self.scratch_folder(), "--listen", "mqtt://127.0.0.1:0",
                           "--set", f"access.policy={self.path}"])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), 1)
        said = b"\n".join(process.stderr).decode()
        self.assertIn(f"{self.path}:1: error: this role has no name", said)
        self.assertIn(f"{self.path}:3: error: a policy has [[role]] and [[user]] sections only", said)


@unlike_mosquitto("has no such command")
class ReplayTest(AccessCase):
    """Decisions of yesterday, made again by other rules."""

    OLD = '[[role]]\nname = "anonymous"\nrules = [\n  "allow publish in/#",\n  "allow subscribe out",\n]\n'

    def setUp(self):
        self.folder = self.scratch_folder()
        self.old = self.write("old.toml", self.OLD)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def explain(self, policy, *words, expect=0):
        return self.chappe("explain", "--replay", self.log, "--set", f"access.policy={policy}", *words, expect=expect)

    def test_what_other_rules_would_change_is_listed(self):
        self.server = self.start_server(flags=["--set", f"access.policy={self.old}",
                                               "--set", "access.decision_log=true"])
        self.log = os.path.join(self.server.broker.data, "decisions.log")
        for topic in ("in/1", "in/1", "in/2", "out"):
            self.assertEqual(self.refused(topic), topic == "out")
        self.server.stop()
        self.assertEqual(stat.S_IMODE(os.stat(self.log).st_mode), 0o600)
        with open(self.log, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([(line["topic"], line["allowed"], line["qos"]) for line in lines],
                         [("in/1", True, 1), ("in/2", True, 1), ("out", False, 1)])
        self.assertEqual(self.explain(self.old),
                         "3 decisions; others now: 0 allowed, 0 refused")
        new = self.write("new.toml", self.OLD.replace("in/#", "in/1").replace("subscribe out", "all out"))
        self.assertEqual(self.explain(new, expect=1).splitlines(), [
            "now refused: publish in/2 by anonymous, client probe: not allowed: no rule allows publishing to this topic",
            f"now allowed: publish out by anonymous, client probe: allowed by {new}:5 (role anonymous)",
            "3 decisions; others now: 1 allowed, 1 refused"])
        changed = [json.loads(line) for line in self.explain(new, "--json", expect=1).splitlines()]
        self.assertEqual([(one["topic"], one["allowed"], one["allowed_now"]) for one in changed],
                         [("in/2", True, False), ("out", False, True)])

    def test_what_cannot_be_read_is_named(self):
        self.server = self.start_server()
        self.log = self.write("decisions.log", '{"time": "yesterday"}\n')
        for path, why in ((self.log, f"{self.log}:1: is not a decision"), (self.folder, f"{self.folder}: cannot be read"),
                          ("/nowhere", "/nowhere: No such file")):
            process = Process([chappe_command(), "explain", "--replay", path, "--data", self.server.broker.data])
            self.assertEqual(process.finish(), 2, process.report())
            self.assertIn(why, process.report())
        self.assertFalse(os.path.exists(os.path.join(self.server.broker.data, "decisions.log")))


@unlike_mosquitto("is not set up with certificates here")
class CertificateNameTest(TlsCase):
    def test_the_name_in_it_is_the_user(self):
        make = Process([chappe_command(), "cert", "--dir", self.folder, "--client", "pump-7"])
        self.assertEqual(make.finish(), 0, make.report())
        self.serve("--set", f"tls.client_ca={self.file('ca.pem')}", "--set", "access.certificate_roles=device")
        mine = [*self.where, "--cert", self.file("pump-7.pem"), "--key", self.file("pump-7.key")]
        publish(self, "-V", "5", "-q", "1", "-i", "p", "-t", "devices/pump-7/t", "-m", "x", where=mine)
        self.wait_event("client_connected", client="p", user="pump-7")
        publish(self, "-V", "5", "-q", "1", "-i", "q", "-t", "devices/pump-8/t", "-m", "x", where=mine)
        refused = self.wait_event("publish_refused", client="q")
        self.assertEqual(refused["topic"], "devices/pump-8/t")
