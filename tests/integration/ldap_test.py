"""Accounts in a directory: Debian's slapd says who clients are."""

import contextlib
import json
import os
import re
import socket
import time
from unittest import mock

from access_test import BAD_PASSWORD, PASSWORD, AccessCase
from support import limits, packets
from support.directory import Slapd
from support.mosquitto_tools import Subscriber, publish
from support.operator_commands import ask_json
from support.polling import ask_until
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto
from tls_test import make_certificates

ACCEPTED, UNAVAILABLE = 0, 3  # As CONNACK of 3.1.1 has it.
PEOPLE = "ou=people,dc=example,dc=org"
DIRECT = {"user_dn": f"uid=${{username}},{PEOPLE}"}
GROUPS = {"group_base": "ou=groups,dc=example,dc=org", "group_roles": "operators=operator,staff=viewer", "roles": ""}


class LdapCase(AccessCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        self.password_file = os.path.join(self.folder, "password")
        self.write_password("looks for others\n")

    def write_password(self, text):
        with open(self.password_file + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.password_file + ".new", self.password_file)

    @property
    def searching(self):
        return {"base": PEOPLE, "bind_dn": "cn=chappe,dc=example,dc=org", "bind_password": f"file:{self.password_file}"}

    def serve(self, url, methods="ldap,accounts", **settings):
        settings = {"url": url, "cache_seconds": "0", **settings}
        self.server = self.start_server(flags=[
            "--set", f"access.methods={methods}",
            *(word for name, value in settings.items() for word in ("--set", f"ldap.{name}={value}"))])

    def assert_refused(self, name, password, why):
        self.assertEqual(self.connack(name, password), BAD_PASSWORD)
        return self.wait_event("connect_refused", user=name, reason=why)

    def wait_refused(self, name, part):
        """A refusal with this in its reason."""
        def found():
            events = self.server.broker.logged("connect_refused")
            return next((one for one in events if one["user"] == name and part in one["reason"]), None)

        return self.server.process.wait_for(found, what=f"refusal of {name}: {part}")


@unlike_mosquitto("has no such method without a plugin")
class DirectoryTest(LdapCase):
    def setUp(self):
        super().setUp()
        self.directory = Slapd(self)

    def test_an_entry_is_found_and_its_password_tried(self):
        self.serve(self.directory.url, **self.searching)
        self.add("carol")
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)
        self.assertEqual(self.wait_event("client_connected", user="alice")["method"], "ldap")
        self.assert_refused("alice", "secret of bob", f"ldap: the password is wrong: bind as uid=alice,{PEOPLE}: "
                                                      "Invalid credentials")
        # Whom the directory does not know may have an account.
        self.assertEqual(self.connack("carol", PASSWORD), ACCEPTED)
        self.assertEqual(self.wait_event("client_connected", user="carol")["method"], "accounts")
        self.assert_refused("dave", "x", "ldap: there is no such user; accounts: there is no such user")

    def test_a_name_is_bound_as_directly(self):
        self.serve(self.directory.url, **DIRECT)
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)
        for name, password in (("alice", "secret of bob"), ("dave", "secret of alice"), ("bob+cn=x", "secret of bob"),
                               ("bob,ou=people", "secret of bob")):
            self.assertEqual(self.connack(name, password), BAD_PASSWORD)
            self.wait_refused(name, "ldap: the password is wrong, or there is no such user: bind as uid=")

    def test_the_user_is_called_as_the_directory_spells_it(self):
        for settings in (self.searching, DIRECT):
            with self.subTest(settings):
                self.serve(self.directory.url, **settings)
                self.assertEqual(self.connack("ALICE", "secret of alice"), ACCEPTED)
                self.wait_event("client_connected", user="alice")
                self.change("ban", "add", "user", "alice")
                self.assertNotEqual(self.connack("Alice", "secret of alice"), ACCEPTED)
                self.server.stop()

    def test_another_spelling_gives_nobody_an_account_with_a_password(self):
        self.serve(self.directory.url, methods="accounts,ldap", **self.searching)
        self.add("alice")
        self.assert_refused("Alice", "secret of alice", "ldap: the entry found is called alice, and the account of that name "
                                                        "has a password of its own")
        self.assertEqual(self.connack("alice", PASSWORD), ACCEPTED)
        self.assertEqual(self.connack("alice", "secret of alice"), BAD_PASSWORD)
        self.assertEqual(self.connack("Bob", "secret of bob"), ACCEPTED)

    def test_no_name_is_a_filter(self):
        self.serve(self.directory.url, **self.searching, filter="(|(uid=${username})(mail=${username}))")
        self.assertEqual(self.connack("alice@example.org", "secret of alice"), ACCEPTED)
        self.wait_event("client_connected", user="alice")
        for name in ("*", "alic*", "*)(uid=alice", "alice)(objectClass=*", "alice\\2a", "\\2a"):
            self.assert_refused(name, "secret of alice", "ldap: there is no such user; accounts: there is no such user")
        # What two entries have is nobody's name.
        self.assert_refused("shared@example.org", "secret of bob", "ldap: more than one entry has this user name")

    def test_no_password_is_a_wrong_one(self):
        # This server says yes to it.
        self.serve(self.directory.url, methods="ldap", **DIRECT)
        self.assert_refused("alice", "", "ldap: the password is empty")
        self.assert_refused("alice", None, "there is no method that knows users")

    def test_groups_give_roles_that_decide(self):
        for settings in (self.searching, DIRECT):
            with self.subTest(settings):
                self.serve(self.directory.url, **settings, **GROUPS)
                self.change("role", "add", "operator", "--rule", "allow publish valves/#")
                watcher = Subscriber(self, topics=["valves/#"], where=self.as_user("bob", "secret of bob"))
                for name, may in (("bob", False), ("alice", True)):
                    publish(self, "-V", "5", "-q", "1", "-i", name, "-t", "valves/1", "-m", f"by {name}",
                            where=self.as_user(name, f"secret of {name}"), expect=None)
                    if not may:
                        self.wait_event("publish_refused", user=name, topic="valves/1")
                (message,) = watcher.messages(1)
                self.assertEqual(message.payload, b"by alice")
                watcher.disconnect()
                self.server.stop()

    def test_nobody_comes_in_while_the_server_is_down(self):
        self.serve(self.directory.url, **self.searching)
        self.add("alice")
        self.directory.stop()
        self.assertEqual(self.connack("alice", PASSWORD), UNAVAILABLE)
        self.wait_refused("alice", f"ldap: {self.directory.url}: Can't contact LDAP server")
        (refusal,) = ask_json(self, self.server.broker.data, "refusals")["refusals"]
        self.assertIn("Can't contact LDAP server", refusal["reason"])
        self.directory.start()
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)

    def test_the_next_server_is_asked_where_one_is_down(self):
        other = Slapd(self)
        self.serve(f"{self.directory.url} {other.url}", **self.searching)
        self.directory.stop()
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)

    def test_who_was_let_in_is_remembered(self):
        self.serve(self.directory.url, **self.searching, **{"cache_seconds": "600"})
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)
        self.directory.stop()
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)
        self.assertEqual(self.connack("alice", "another"), UNAVAILABLE)
        self.assertEqual(self.connack("bob", "secret of bob"), UNAVAILABLE)

    def test_the_password_of_the_account_that_looks_is_read_again(self):
        self.write_password("outdated")
        self.serve(self.directory.url, **self.searching)
        self.assertEqual(self.connack("alice", "secret of alice"), UNAVAILABLE)
        refused = self.wait_refused("alice", "ldap: the account that looks for users (bind_dn): bind as "
                                             "cn=chappe,dc=example,dc=org: Invalid credentials")
        self.assertEqual(refused["code"], "Server unavailable")
        self.write_password("looks for others")
        self.wait_event("ldap_settings")
        # Which it says a moment before it uses it.
        ask_until(lambda code: code == ACCEPTED, lambda: self.connack("alice", "secret of alice"), "login with the new password")

    def test_what_it_needs_has_to_be_there_at_the_start(self):
        settings = {"url": self.directory.url, **self.searching, "bind_password": "file:/no/password"}
        process = Process([chappe_command(), "serve", "--data", self.folder, "--set", "access.methods=ldap", "--listen",
                           "mqtt://127.0.0.1:0",
                           *(word for name, value in settings.items() for word in ("--set", f"ldap.{name}={value}"))])
        self.addCleanup(process.kill)
        self.assertNotEqual(process.finish(), 0)
        self.assertIn("ldap.bind_password: /no/password: No such file or directory", process.report())


@unlike_mosquitto("has no such method without a plugin")
class RecipesTest(LdapCase):
    def test_what_the_documentation_shows_can_be_used(self):
        with open(os.path.join(ROOT, "docs", "access.md"), encoding="utf-8") as file:
            section = file.read().split("\n### Accounts in LDAP or Active Directory\n", 1)[1].split("\n### ", 1)[0]
        recipes = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
        self.assertEqual(len(recipes), 4)
        for recipe in recipes:
            path = os.path.join(self.folder, "chappe.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("" if "[access]" in recipe else '[access]\nmethods = ["ldap"]\n')
                file.write(f"[server]\ndata_directory = {json.dumps(self.folder)}\n" + recipe)
            checked = Process([chappe_command(), "check", "--strict", path])
            self.addCleanup(checked.kill)
            self.assertEqual(checked.finish(), 0, f"{recipe}\n{checked.report()}")


@unlike_mosquitto("has no such method without a plugin")
class SecureDirectoryTest(LdapCase):
    def setUp(self):
        super().setUp()
        self.own, self.foreign = os.path.join(self.folder, "own"), os.path.join(self.folder, "foreign")
        for folder in (self.own, self.foreign):
            make_certificates(folder, "--name", "127.0.0.1")

    def test_only_a_certificate_of_its_ca_is_good(self):
        for start_tls in (False, True):
            with self.subTest(start_tls=start_tls):
                directory = Slapd(self, certificate=os.path.join(self.own, "server"), start_tls=start_tls)
                how = {**self.searching, "start_tls": str(start_tls).lower()}
                good, bad = (os.path.join(folder, "ca.pem") for folder in (self.own, self.foreign))
                self.serve(directory.url, ca_file=good, **how)
                self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)
                self.server.stop()
                for ca in (bad, ""):
                    self.serve(directory.url, ca_file=ca, **how)
                    self.assertEqual(self.connack("alice", "secret of alice"), UNAVAILABLE)
                    self.wait_refused("alice", "but not by TLS: its certificate has to be of a CA in /")
                    self.server.stop()

    def test_a_certificate_for_another_name_is_not_good(self):
        directory = Slapd(self, certificate=os.path.join(self.own, "server"))
        self.serve(directory.url.replace("127.0.0.1", "localhost"), ca_file=os.path.join(self.own, "ca.pem"), **self.searching)
        self.assertEqual(self.connack("alice", "secret of alice"), UNAVAILABLE)
        self.wait_refused("alice", "but not by TLS")

    def test_neither_a_spelling_nor_the_environment_makes_another_certificate_good(self):
        directory = Slapd(self, certificate=os.path.join(self.own, "server"))
        upper = directory.url.replace("ldaps:", "LDAPS:")
        good, bad = (os.path.join(folder, "ca.pem") for folder in (self.own, self.foreign))
        with mock.patch.dict(os.environ, {"LDAPTLS_REQCERT": "never", "LDAPTLS_CACERT": good}):
            for url in (directory.url, upper, f"{upper} {directory.url}"):
                with self.subTest(url):
                    self.serve(url, ca_file=bad, **self.searching)
                    self.assertEqual(self.connack("alice", "secret of alice"), UNAVAILABLE)
                    self.wait_refused("alice", "but not by TLS: its certificate has to be of a CA in /")
                    self.server.stop()
        self.serve(upper, ca_file=good, **self.searching)
        self.assertEqual(self.connack("alice", "secret of alice"), ACCEPTED)

    def test_a_server_without_tls_hears_no_password(self):
        directory = Slapd(self)
        self.serve(directory.url, start_tls="true", **self.searching)
        self.assertEqual(self.connack("alice", "secret of alice"), UNAVAILABLE)
        self.wait_refused("alice", "StartTLS")


@unlike_mosquitto("has no such method without a plugin")
class SilentDirectoryTest(LdapCase):
    """A server that takes connections and never answers, or never to its end."""

    def silent_server(self, begins_with=b""):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(listener.close)
        self.listener, self.begins_with = listener, begins_with
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def begin_login(self, name):
        stream = socket.create_connection((self.server.host, self.server.port), limits.EVENT_SECONDS)
        self.addCleanup(stream.close)
        stream.settimeout(limits.EVENT_SECONDS)
        body = packets.text("MQTT") + bytes([4, 0xC2, 0, 60]) + b"".join(map(packets.text, (f"id-{name}", name, "x")))
        stream.sendall(packets.packet(packets.CONNECT, 0, body))
        return stream

    def test_others_do_not_wait_for_it(self):
        self.serve("ldap://" + self.silent_server(), methods="accounts,ldap", timeout_seconds="60", **DIRECT)
        self.add("carol")
        waiting = [self.begin_login(f"user-{i}") for i in range(20)]  # More than are asked about at once.
        connection, _ = self.listener.accept()  # They are.
        self.addCleanup(connection.close)
        self.assertEqual(self.connack("carol", PASSWORD, client_id="carol"), ACCEPTED)
        for stream in waiting:
            stream.setblocking(False)
            with self.assertRaises(BlockingIOError):
                stream.recv(1)
        begun = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - begun, 30)

    def test_it_is_given_up(self):
        for scheme in ("ldap", "ldaps"):
            with self.subTest(scheme):
                self.serve(f"{scheme}://" + self.silent_server(), timeout_seconds="1", **DIRECT)
                self.assertEqual(self.begin_login("alice").recv(4)[3:], bytes([UNAVAILABLE]))
                self.wait_refused("alice", "no answer within the time limit")
                self.server.stop()

    def test_all_answers_together_have_one_limit(self):
        self.serve("ldap://" + self.silent_server(), timeout_seconds="2", **DIRECT)
        stream = self.begin_login("alice")
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        for number, tag in ((1, 0x61), (2, 0x65)):  # Yes to the bind, and no entry found: each in time by itself.
            connection.recv(1024)
            time.sleep(1.4)
            with contextlib.suppress(OSError):
                connection.sendall(bytes([0x30, 12, 2, 1, number, tag, 7, 10, 1, 0, 4, 0, 4, 0]))
        self.assertEqual(stream.recv(4)[3:], bytes([UNAVAILABLE]))
        self.wait_refused("alice", "no answer within the time limit")

    def test_half_of_an_answer_is_given_up_as_well(self):
        self.serve("ldap://" + self.silent_server(), timeout_seconds="1", **DIRECT)
        stream = self.begin_login("alice")
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        connection.recv(1024)
        connection.sendall(b"\x30\x0c\x02")
        self.assertEqual(stream.recv(4)[3:], bytes([UNAVAILABLE]))
        self.wait_refused("alice", "no answer within the time limit")
