"""What `chappe check` says about users, roles and rules, in a policy file and in chappe.db."""

import json
import os
import sqlite3

from accounts_test import AccountsCase
from support.process import Process
from support.server import chappe_command, unlike_mosquitto

POLICY = """\
[[role]]
name = "device"
rules = [
  "allow publish devices/${username}/#",
  "allow publish devices/${username}/status",
  "allow subscribe devices/+/config",
]

[[role]]
name = "spare"
rules = ["allow publish spare"]

[[user]]
name = "pump-7"
roles = ["device"]
rules = ["allow publish secret/x", "deny publish secret/#"]
"""


@unlike_mosquitto("has no such command")
class CheckTest(AccountsCase):
    def check(self, *options, policy=None, more="", expect=0):
        """The lines about the rules, each without what all begin with."""
        configuration = f'[server]\ndata_directory = "{self.data}"\n[access]\n{more}'
        if policy is not None:
            self.policy = self.write("policy.toml", policy)
            configuration += f'policy = "{self.policy}"\n'
        self.file = self.write("chappe.toml", configuration)
        process = Process([chappe_command(), "check", self.file, *options])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), expect, process.report())
        return [line.decode() for line in process.stdout]

    def about_accounts(self, *options, **words):
        start = self.data + "/chappe.db: "
        lines = self.check(*options, **words)
        return [line.removeprefix(start) for line in lines if line.startswith(start)]

    def test_a_policy_file_without_accounts(self):
        shadowed, escaping, unused, denied, ok = self.check(policy=POLICY)
        self.assertEqual(shadowed, f'{self.policy}:5: warning: "allow publish devices/${{username}}/status" adds nothing: all of it '
                                   f'is allowed by "allow publish devices/${{username}}/#", see {self.policy}:4 (role device)')
        self.assertIn(f'{self.policy}:6: warning: "allow subscribe devices/+/config" escapes ${{username}}: it reaches devices/+/config '
                      "of all", escaping)
        self.assertEqual(unused, f"{self.policy}:9: warning: nobody has the role spare; give it to a user, or remove it")
        self.assertIn(f'{self.policy}:16: warning: "allow publish secret/x" allows nothing', denied)
        self.assertEqual(ok, f"{self.file}: ok, 2 settings")
        self.assertFalse(os.path.exists(self.data))

    def test_strict_fails_on_warnings(self):
        self.assertEqual(len(self.check("--strict", policy=POLICY, expect=1)), 4)
        self.assertEqual(self.check("--strict", policy='[[role]]\nname = "everyone"\nrules = ["allow all #"]\n'),
                         [f"{self.file}: ok, 2 settings"])

    def test_json(self):
        report = json.loads("\n".join(self.check("--json", policy=POLICY)))
        self.assertTrue(report["ok"])
        self.assertEqual([(one["severity"], one["file"], one["line"]) for one in report["findings"]],
                         [("warning", self.policy, line) for line in (5, 6, 9, 16)])
        self.assertFalse(json.loads("\n".join(self.check("--json", "--strict", policy=POLICY, expect=1)))["ok"])

    def test_a_policy_file_with_errors(self):
        lines = self.check(policy='[[role]]\nname = "r"\nrules = [\n  "allow publsh x",\n]\n[[user]]\nname = "u"\nroles = ["s"]\n',
                           expect=1)
        self.assertIn(f'{self.policy}:4: error: "allow publsh x": there is no action "publsh"', lines[1])
        self.assertIn(f"{self.policy}:6: error: the user u has the role s, which there is not", lines[-1])
        self.assertIn(f"{self.policy}:1: error: a policy has [[role]]", self.check(policy="[[group]]\n", expect=1)[0])
        os.remove(self.policy)
        os.mkdir(self.policy)
        self.assertIn("cannot be read", self.check(more=f'policy = "{self.policy}"\n', expect=1)[0])

    def test_accounts(self):
        self.add("bob")
        self.assertEqual(self.check(), [f"{self.file}: ok, 1 setting"])  # Of the roles that are there from the start, one is used.
        self.chappe("role", "add", "sensor", "--rule", "allow publish a/b", "--rule", "allow publish a/+")
        self.chappe("role", "rule", "device", "add", "allow subscribe #")
        self.assertEqual([line.split('" ')[0] for line in self.about_accounts()],
                         ["warning: role device: nobody has the role device; give it to a user, or remove it",
                          'warning: rule 2 of role device: "allow subscribe devices/${username}/#',
                          'warning: rule 3 of role device: "allow subscribe #',
                          "warning: role sensor: nobody has the role sensor; give it to a user, or remove it",
                          'warning: rule 1 of role sensor: "allow publish a/b'])

    def test_who_has_a_role(self):
        self.chappe("role", "add", "sensor", "--rule", "allow publish a/b")
        self.add("bob", "--role", "sensor")
        self.assertEqual(self.about_accounts(), [])
        self.chappe("user", "disable", "bob")  # Who may be back.
        self.assertEqual(self.about_accounts(), [])
        self.chappe("user", "remove", "bob")
        self.assertEqual(len(self.about_accounts()), 1)
        self.assertEqual(self.about_accounts(more='certificate_roles = ["sensor"]\n'), [])
        # A policy file may give a role of the database to somebody, and say what another one may.
        user = '[[user]]\nname = "u"\nroles = ["sensor"]\n'
        self.assertEqual(self.check(policy=user), [f"{self.file}: ok, 2 settings"])
        lines = self.check(policy=user + '[[role]]\nname = "viewer"\nrules = ["allow subscribe #"]\n')
        self.assertEqual(lines[0], f"{self.policy}:4: warning: nobody has the role viewer; give it to a user, or remove it")

    def test_roles_of_certificates(self):
        self.assertEqual(self.check(more='certificate_roles = ["viewer"]\n'), [f"{self.file}: ok, 2 settings"])
        (warning, _) = self.check(more='certificate_roles = ["none"]\n')
        self.assertEqual(warning, f"{self.file}:4: warning: access.certificate_roles names the role none, which there is not; "
                                  "clients have nothing of it")

    def test_leaves_no_trace(self):
        self.add("bob")
        path = os.path.join(self.data, "chappe.db")
        before = sorted(os.listdir(self.data))
        with open(path, "rb") as file:
            content = file.read()
        self.check()
        self.assertEqual(sorted(os.listdir(self.data)), before)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), content)

    def test_accounts_that_somebody_uses(self):
        self.add("bob")
        with sqlite3.connect(os.path.join(self.data, "chappe.db")) as other:
            other.execute("INSERT INTO roles VALUES ('late', '')")
            other.commit()  # Is in the log, not yet in the file.
            self.assertEqual(self.about_accounts(),
                             ["warning: role late: nobody has the role late; give it to a user, or remove it"])
        other.close()

    def test_accounts_that_cannot_be_read(self):
        os.makedirs(self.data)
        path = os.path.join(self.data, "chappe.db")
        with open(path, "wb") as file:
            file.write(b"x" * 4096)
        lines = self.check(policy=POLICY, expect=1)
        self.assertEqual(lines, [f"{path}: error: cannot read {path}: it is not a database of SQLite"])
        # That of another version is not brought up to date.
        os.remove(path)
        self.add("bob")
        with sqlite3.connect(path) as other:
            other.execute("PRAGMA user_version = 0")
        other.close()
        self.assertIn("an older Chappe has written it", self.about_accounts(expect=1)[0])
        with sqlite3.connect(path) as other:
            self.assertEqual(other.execute("PRAGMA user_version").fetchone(), (0,))
        other.close()

    def test_says_nothing_of_rules_where_the_settings_are_wrong(self):
        lines = self.check(policy=POLICY, more="methds = []\n", expect=1)
        self.assertEqual(len(lines), 1)
        self.assertIn("did you mean methods?", lines[0])
