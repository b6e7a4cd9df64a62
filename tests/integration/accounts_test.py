"""`chappe user`, `chappe role` and `chappe ban`, which change the accounts of a data folder, and what they leave behind."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import stat
import subprocess
import termios
import unittest

from support import limits
from support.case import BrokerCase
from support.process import Process
from support.server import PEERS, SANITIZER_REPORT, chappe_command, unlike_mosquitto

MOSQUITTO_PASSWD = os.path.join(PEERS, "mosquitto", "usr", "bin", "mosquitto_passwd")
PASSWORD = "correct horse battery"
FINGERPRINT = "ab" * 32


class AccountsCase(unittest.TestCase):
    def setUp(self):
        self.folder = BrokerCase.scratch_folder(self)
        self.data = os.path.join(self.folder, "var", "chappe")  # The commands make both.
        self.said = b""  # All that the commands have printed.

    def chappe(self, *words, expect=0, stdin=None):
        """Runs a command; returns what it has printed and what it has said on standard error."""
        process = Process([chappe_command(), *words, "--data", self.data], stdin=stdin is not None)
        self.addCleanup(process.kill)
        if stdin is not None:
            process.feed(stdin.encode())
        self.assertEqual(process.finish(), expect, process.report())
        self.assertIsNone(SANITIZER_REPORT.search(b"\n".join(process.stderr)), process.report())
        self.said += b"\n".join(process.stdout + process.stderr)
        return b"\n".join(process.stdout).decode(), b"\n".join(process.stderr).decode()

    def json(self, *words):
        return json.loads(self.chappe(*words, "--json")[0])

    def add(self, name, *words):
        return self.chappe("user", "add", name, *words, stdin=PASSWORD + "\n")

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(path, 0o600)
        return path

    def audit(self):
        with open(os.path.join(self.data, "audit.log"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def audited(self):
        return [(entry["what"], entry["target"], entry.get("detail", "")) for entry in self.audit()]

    def stored(self, name):
        """The hash and the SCRAM keys of a user."""
        database = sqlite3.connect(os.path.join(self.data, "chappe.db"))
        self.addCleanup(database.close)
        return database.execute("SELECT password_hash, scram_keys FROM users WHERE name = ?", (name,)).fetchone()


@unlike_mosquitto("has no such commands")
class UserTest(AccountsCase):
    def test_add_says_what_the_user_may_do(self):
        said = self.add("alice", "--comment", "in the office")[0]
        self.assertIn("user alice added", said)
        self.assertIn("role editor: Publish and subscribe to all topics", said)
        user = self.json("user", "show", "alice")
        self.assertEqual((user["enabled"], user["roles"], user["comment"]), (True, ["editor"], "in the office"))
        self.assertEqual((user["password"], user["scram"]), (True, True))
        stored_hash, keys = self.stored("alice")
        self.assertTrue(stored_hash.startswith("$argon2id$"))
        self.assertTrue(keys.startswith("SCRAM-SHA-256$4096:"))

    def test_files_are_for_their_owner_only(self):
        self.add("alice")
        modes = {name: stat.S_IMODE(os.stat(os.path.join(self.data, name)).st_mode)
                 for name in ("", "chappe.db", "audit.log")}
        self.assertEqual(modes, {"": 0o700, "chappe.db": 0o600, "audit.log": 0o600})

    @unittest.skipUnless(os.getuid() == 0, "only root could make files that the folder's owner cannot read")
    def test_root_makes_nothing_in_the_folder_of_somebody_else(self):
        os.makedirs(self.data)
        os.chown(self.data, 65534, -1)
        complaint = self.chappe("user", "add", "alice", stdin="x\n", expect=1)[1]
        self.assertRegex(complaint, "belongs to the user .*; run this as that user")
        self.assertEqual(os.listdir(self.data), [])

    def test_the_configuration_names_the_data_folder(self):
        config = self.write("chappe.toml", f'[server]\ndata_directory = "{self.data}"\n')
        self.add("alice")
        process = Process([chappe_command(), "user", "list", "--config", config])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), 0, process.report())
        self.assertIn(b"alice", b"\n".join(process.stdout))

    def test_list_in_both_forms(self):
        self.add("bob", "--role", "viewer", "--role", "device")
        self.add("alice")
        self.chappe("user", "disable", "alice")
        lines = [" ".join(line.split()) for line in self.chappe("user", "list")[0].splitlines()]
        self.assertEqual(lines, ["alice disabled editor", "bob enabled device, viewer"])
        users = self.json("user", "list")["users"]
        self.assertEqual([(user["name"], user["enabled"], user["roles"]) for user in users],
                         [("alice", False, ["editor"]), ("bob", True, ["device", "viewer"])])

    def test_a_generated_password_is_printed_once(self):
        said = self.chappe("user", "add", "pump", "--role", "device", "--generate")[0]
        password = re.search(r"^password, shown only now: (\S+)$", said, re.M).group(1)
        self.assertEqual(len(password), 23)
        self.assertEqual(self.said.count(password.encode()), 1)
        self.chappe("user", "show", "pump")
        self.assertEqual(self.said.count(password.encode()), 1)
        with open(os.path.join(self.data, "audit.log"), encoding="utf-8") as file:
            self.assertNotIn(password, file.read())

    def test_nothing_shows_a_password_or_a_hash(self):
        self.add("alice")
        self.chappe("user", "passwd", "alice", stdin="another horse\n")
        stored_hash, keys = self.stored("alice")
        self.chappe("user", "show", "alice")
        self.json("user", "show", "alice")
        self.json("user", "list")
        with open(os.path.join(self.data, "audit.log"), "rb") as file:
            shown = self.said + file.read()
        for secret in (PASSWORD, "another horse", stored_hash, keys, "$argon2id$", "SCRAM-SHA-256$"):
            self.assertNotIn(secret.encode(), shown)

    def test_a_new_password_replaces_hash_and_keys(self):
        self.add("alice")
        before = self.stored("alice")
        self.chappe("user", "passwd", "alice", "--password-file", self.write("new", "another horse\n"))
        after = self.stored("alice")
        self.assertNotEqual(before[0], after[0])
        self.assertNotEqual(before[1], after[1])

    def test_a_password_file_for_everybody_is_warned_of(self):
        path = self.write("password", PASSWORD)
        self.assertEqual(self.chappe("user", "add", "a", "--password-file", path)[1], "")
        os.chmod(path, 0o644)
        self.assertIn("can be read by other users", self.chappe("user", "add", "b", "--password-file", path)[1])

    def test_wrong_input_changes_nothing_and_says_what_would_be_right(self):
        self.add("alice")
        before = self.audit()
        for words, stdin, hint in [
            (("add", "alice"), "x\n", "exists already; chappe user passwd"),
            (("add", "bob"), "\n", "the password is empty"),
            (("add", "bob"), "", "the password is empty"),
            (("add", "bob"), "a\0b\n", "password"),
            (("add", ""), "x\n", "user name"),
            (("add", "bob", "--role", "king"), "x\n", "there is no role king; chappe role list shows them"),
            (("add", "bob", "--password-file", self.folder + "/none"), "", "No such file"),
            (("passwd", "bob"), "x\n", "there is no user bob; chappe user list shows them"),
            (("remove", "bob"), "", "there is no user bob"),
            (("show", "bob"), "", "there is no user bob"),
            (("disable", "bob"), "", "there is no user bob"),
            (("enable", "bob"), "", "there is no user bob"),
            (("role", "bob", "--add", "viewer"), "", "there is no user bob"),
            (("role", "alice", "--add", "king"), "", "there is no role king"),
            (("role", "alice", "--remove", "viewer"), "", "does not have the role viewer"),
            (("role", "alice"), "", "--add ROLE"),
            (("pin", "alice"), "", "--certificate FILE"),
            (("pin", "alice", "abc"), "", "64 hexadecimal digits"),
            (("unpin", "alice", FINGERPRINT), "", "not pinned to alice"),
        ]:
            with self.subTest(words=words):
                self.assertIn(hint, self.chappe("user", *words, stdin=stdin, expect=1)[1])
        self.assertEqual(self.audit(), before)
        self.assertEqual([user["name"] for user in self.json("user", "list")["users"]], ["alice"])

    def test_a_wrong_command_line_is_told_from_a_failure(self):
        self.assertIn("did you mean list?", self.chappe("user", "lst", expect=2)[1])
        self.assertIn("NAME", self.chappe("user", "add", expect=2)[1])
        both = ("--generate", "--password-file", "x")
        self.assertIn("excludes", self.chappe("user", "add", "a", *both, expect=2)[1])
        self.assertIn("did you mean --generate?", self.chappe("user", "add", "a", "--generte", expect=2)[1])

    def test_a_name_that_no_variable_matches_is_warned_of(self):
        self.assertIn("${username}", self.add("site/pump")[1])
        self.assertEqual(self.add("pump")[1], "")

    def test_disable_enable_and_remove(self):
        self.add("alice")
        self.chappe("user", "disable", "alice")
        self.assertFalse(self.json("user", "show", "alice")["enabled"])
        self.chappe("user", "enable", "alice")
        self.assertTrue(self.json("user", "show", "alice")["enabled"])
        self.chappe("user", "remove", "alice")
        self.assertEqual(self.json("user", "list"), {"users": []})

    def test_roles_are_given_and_taken(self):
        self.add("alice")
        self.chappe("user", "role", "alice", "--add", "viewer", "--add", "device", "--remove", "editor")
        self.assertEqual(self.json("user", "show", "alice")["roles"], ["device", "viewer"])

    def test_certificates_are_pinned_to_one_user(self):
        self.add("alice")
        self.add("bob")
        self.chappe("user", "pin", "alice", "sha256 Fingerprint=" + ":".join(["AB"] * 32))
        self.assertEqual(self.json("user", "show", "alice")["fingerprints"], [FINGERPRINT])
        self.assertIn("pinned to the user alice", self.chappe("user", "pin", "bob", FINGERPRINT, expect=1)[1])
        self.chappe("user", "unpin", "alice", FINGERPRINT)
        self.chappe("user", "pin", "bob", FINGERPRINT)

    def test_the_fingerprint_of_a_certificate_is_that_of_openssl(self):
        self.add("alice")
        certificate, key = os.path.join(self.folder, "alice.pem"), os.path.join(self.folder, "alice.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=alice", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        openssl = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"],
                                 check=True, capture_output=True, text=True).stdout
        self.chappe("user", "pin", "alice", "--certificate", certificate)
        fingerprint = openssl.strip().split("=")[1].replace(":", "").lower()
        self.assertEqual(self.json("user", "show", "alice")["fingerprints"], [fingerprint])
        self.assertIn("no certificate", self.chappe("user", "pin", "alice", "--certificate", key, expect=1)[1])

    def test_every_change_is_a_line_of_the_audit_log(self):
        self.add("alice")
        for words in [("passwd", "alice", "--generate"), ("disable", "alice"), ("enable", "alice"),
                      ("role", "alice", "--add", "viewer"), ("pin", "alice", FINGERPRINT),
                      ("unpin", "alice", FINGERPRINT), ("list",), ("show", "alice"), ("remove", "alice")]:
            self.chappe("user", *words)
        self.assertEqual(self.audited(), [
            ("user add", "alice", "role editor"), ("user passwd", "alice", ""), ("user disable", "alice", ""),
            ("user enable", "alice", ""), ("user role", "alice", "role editor, viewer"),
            ("user pin", "alice", "certificate " + FINGERPRINT), ("user unpin", "alice", "certificate " + FINGERPRINT),
            ("user remove", "alice", "")])
        for entry in self.audit():
            self.assertRegex(entry["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual((entry["uid"], entry["from"]), (os.getuid(), "command line"))

    def test_nothing_is_changed_that_cannot_be_recorded(self):
        os.makedirs(os.path.join(self.data, "audit.log"))
        self.assertIn("audit.log", self.chappe("user", "add", "alice", stdin="x\n", expect=1)[1])
        self.assertEqual(self.json("user", "list"), {"users": []})


@unlike_mosquitto("has no such commands")
class TerminalTest(AccountsCase):
    """A person at a terminal types the password."""

    def setUp(self):
        super().setUp()
        self.terminal, theirs = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        command = [chappe_command(), "user", "add", "alice", "--data", self.data]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        os.close(theirs)
        self.shown = b""

    def read(self):
        """More of what the terminal shows, or nothing at its end."""
        self.assertTrue(select.select([self.terminal], [], [], limits.EVENT_SECONDS)[0], self.shown)
        try:
            more = os.read(self.terminal, 1024)
        except OSError:
            more = b""  # The other end has been closed.
        self.shown += more
        return more

    def wait_question(self):
        asked = len(self.shown)
        while not self.shown[asked:].endswith(b": "):  # What was typed before the question would be thrown away.
            self.assertTrue(self.read(), self.shown)

    def finish(self):
        """The exit code, and all that the terminal has shown."""
        while self.read():
            pass
        return self.process.wait(limits.EVENT_SECONDS), self.shown.decode()

    def type(self, *answers):
        for answer in answers:
            self.wait_question()
            os.write(self.terminal, answer.encode() + b"\n")
        return self.finish()

    def shows_what_is_typed(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def test_an_interrupted_question_leaves_the_terminal_as_it_was(self):
        self.wait_question()
        self.assertFalse(self.shows_what_is_typed())
        self.process.send_signal(signal.SIGINT)
        while b"interrupted" not in self.shown:
            self.assertTrue(self.read(), self.shown)
        self.assertTrue(self.shows_what_is_typed())
        self.assertEqual(self.finish()[0], 1)

    def test_it_is_asked_for_twice_and_not_shown(self):
        code, shown = self.type(PASSWORD, PASSWORD)
        self.assertEqual(code, 0, shown)
        self.assertIn("Password: ", shown)
        self.assertIn("user alice added", shown)
        self.assertNotIn(PASSWORD, shown)

    def test_two_different_ones_are_refused(self):
        code, shown = self.type(PASSWORD, "something else")
        self.assertEqual(code, 1, shown)
        self.assertIn("two different passwords", shown)
        self.assertEqual(self.json("user", "list"), {"users": []})


@unlike_mosquitto("has no such commands")
class ImportTest(AccountsCase):
    def mosquitto_passwd(self, *users):
        """A password file of these users: (name, password, form)."""
        path = os.path.join(self.folder, "passwd")
        for number, (name, password, form) in enumerate(users):
            create = ["-c"] if number == 0 else []
            subprocess.run([MOSQUITTO_PASSWD, "-H", form, *create, "-b", path, name, password], check=True)
        return path

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":", 1) for line in file)

    @unittest.skipUnless(os.access(MOSQUITTO_PASSWD, os.X_OK), "tests/integration/peers fetches mosquitto_passwd")
    def test_a_file_of_mosquitto_passwd(self):
        path = self.mosquitto_passwd(("alice", "a", "sha512-pbkdf2"), ("bob", "b", "sha512"))
        self.assertIn("2 users added, with the role editor", self.chappe("user", "import", path)[0])
        hashes = self.read(path)
        self.assertTrue(hashes["alice"].startswith("$7$") and hashes["bob"].startswith("$6$"))
        for name in hashes:
            self.assertEqual(self.stored(name), (hashes[name], None))
        self.assertEqual(self.audited(), [("user import", name, "added") for name in ("alice", "bob")])
        self.assertFalse(self.json("user", "show", "alice")["scram"])

    @unittest.skipUnless(os.access(MOSQUITTO_PASSWD, os.X_OK), "tests/integration/peers fetches mosquitto_passwd")
    def test_who_is_there_is_replaced_when_told_to(self):
        self.add("alice", "--role", "viewer")
        before = self.stored("alice")
        path = self.mosquitto_passwd(("alice", "a", "sha512-pbkdf2"))
        self.assertIn("1 user left as before; --replace", self.chappe("user", "import", path)[0])
        self.assertEqual(self.stored("alice"), before)
        self.assertIn("1 user replaced", self.chappe("user", "import", path, "--replace")[0])
        self.assertEqual(self.stored("alice"), (self.read(path)["alice"], None))
        self.assertEqual(self.json("user", "show", "alice")["roles"], ["viewer"])
        self.chappe("user", "import", path, "--replace", "--role", "device")
        self.assertEqual(self.json("user", "show", "alice")["roles"], ["device"])

    def test_a_hash_of_argon2id(self):
        self.add("alice")
        path = self.write("passwd", f"bob:{self.stored('alice')[0]}\n")
        self.chappe("user", "import", path, "--role", "viewer")
        self.assertEqual(self.stored("bob")[0], self.stored("alice")[0])
        self.assertEqual(self.json("user", "show", "bob")["roles"], ["viewer"])

    def test_lines_that_cannot_be_used_are_named_and_not_shown(self):
        self.add("alice")
        path = self.write("passwd", f"tom:plain-secret\n\nbob:{self.stored('alice')[0]}\nnonsense\n")
        said, complaint = self.chappe("user", "import", path, expect=1)
        self.assertIn("1 user added", said)
        for line in (1, 4):
            self.assertIn(f"{path}:{line}: ", complaint)
        self.assertIn("2 lines", complaint)
        self.assertNotIn("plain-secret", said + complaint)
        self.assertEqual([user["name"] for user in self.json("user", "list")["users"]], ["alice", "bob"])

    def test_a_file_that_cannot_be_read(self):
        self.assertIn("No such file", self.chappe("user", "import", self.folder + "/none", expect=1)[1])
        self.assertIn("Is a directory", self.chappe("user", "import", self.folder, expect=1)[1])

    def test_a_role_that_is_not_there_imports_nothing(self):
        self.add("alice")
        path = self.write("passwd", f"bob:{self.stored('alice')[0]}\n")
        self.assertIn("there is no role king", self.chappe("user", "import", path, "--role", "king", expect=1)[1])
        self.assertEqual([user["name"] for user in self.json("user", "list")["users"]], ["alice"])


@unlike_mosquitto("has no such commands")
class RoleTest(AccountsCase):
    RULE = "allow publish sensors/${username}/#"

    def test_a_new_data_folder_has_roles(self):
        self.assertEqual([role["name"] for role in self.json("role", "list")["roles"]],
                         ["admin", "device", "editor", "viewer"])
        self.assertIn("allow subscribe devices/${username}/#", self.chappe("role", "show", "device")[0])

    def test_rules_are_added_and_removed(self):
        self.chappe("role", "add", "sensor", "--rule", self.RULE, "--comment", "Sensors")
        self.chappe("role", "rule", "sensor", "add", "deny publish sensors/+/config")
        self.assertEqual(self.json("role", "show", "sensor"),
                         {"name": "sensor", "comment": "Sensors", "rules": [self.RULE, "deny publish sensors/+/config"]})
        self.chappe("role", "rule", "sensor", "remove", "1")
        self.assertEqual(self.json("role", "show", "sensor")["rules"], ["deny publish sensors/+/config"])
        self.chappe("role", "remove", "sensor")
        self.assertEqual(self.audited(), [
            ("role add", "sensor", self.RULE), ("role rule add", "sensor", "deny publish sensors/+/config"),
            ("role rule remove", "sensor", self.RULE), ("role remove", "sensor", "")])

    def test_a_role_that_is_used_is_removed_by_force(self):
        self.add("alice")
        self.assertIn("--force", self.chappe("role", "remove", "editor", expect=1)[1])
        self.chappe("role", "remove", "editor", "--force")
        self.assertEqual(self.json("user", "show", "alice")["roles"], [])

    def test_wrong_input_says_what_would_be_right(self):
        for words, hint in [
            (("add", "editor"), "exists already; chappe role rule"),
            (("add", "x", "--rule", "permit publish #"), "permit"),
            (("add", "x", "--rule", "allow publish a/#/b"), "# stands at the end only"),
            (("rule", "editor", "add", "allow fly #"), 'there is no action "fly"'),
            (("rule", "editor", "remove", "2"), "chappe role show"),
            (("rule", "editor", "remove", "first"), "a number from 1"),
            (("rule", "king", "add", self.RULE), "there is no role king; chappe role list shows them"),
            (("show", "king"), "there is no role king"),
            (("remove", "king"), "there is no role king"),
        ]:
            with self.subTest(words=words):
                self.assertIn(hint, self.chappe("role", *words, expect=1)[1])
        self.assertEqual(self.audited(), [])
        self.chappe("role", "rule", "editor", "drop", "1", expect=2)


@unlike_mosquitto("has no such commands")
class BanTest(AccountsCase):
    def test_bans_are_listed_with_their_end_until_they_are_removed(self):
        self.chappe("ban", "add", "address", "192.0.2.7/24", "--for", "1h", "--reason", "guesses passwords")
        self.chappe("ban", "add", "client", "pump\x1b7")
        address, client = self.json("ban", "list")["bans"]
        self.assertEqual((address["kind"], address["value"], address["reason"]),
                         ("address", "192.0.2.0/24", "guesses passwords"))
        self.assertRegex(address["until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual((client["value"], client["until"]), ("pump\x1b7", None))
        self.assertIn("guesses passwords", self.chappe("ban", "list")[0])
        self.assertNotIn(b"\x1b", self.said)
        self.chappe("ban", "remove", "address", "192.0.2.0/24")
        self.assertEqual([ban["kind"] for ban in self.json("ban", "list")["bans"]], ["client"])
        self.assertEqual([what for what, _, _ in self.audited()], ["ban add", "ban add", "ban remove"])

    def test_wrong_input_says_what_would_be_right(self):
        for words, hint in [
            (("add", "address", "somewhere"), "192.0.2.0/24"),
            (("add", "user", "tom", "--for", "long"), "--for"),
            (("add", "user", "tom", "--for", "0s"), "--for"),
            (("remove", "user", "tom"), "there is no ban of the user tom; chappe ban list shows them"),
        ]:
            with self.subTest(words=words):
                self.assertIn(hint, self.chappe("ban", *words, expect=1)[1])
        self.assertEqual(self.json("ban", "list"), {"bans": []})
        self.chappe("ban", "add", "planet", "earth", expect=2)


if __name__ == "__main__":
    unittest.main()
