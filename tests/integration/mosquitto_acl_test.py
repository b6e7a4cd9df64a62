"""An ACL file of Mosquitto's, converted: the broker decides as Debian's mosquitto does."""

import itertools
import os
import subprocess

from access_test import AccessCase
from support.mosquitto_tools import Subscriber, publish, tcp
from support.server import PEERS, Mosquitto, chappe_command, unlike_mosquitto

MOSQUITTO_PASSWD = os.path.join(PEERS, "mosquitto", "usr", "bin", "mosquitto_passwd")

ACL = """# anybody
topic read news/#
topic write box

pattern readwrite own/%u/#
pattern write from/%c

user anna
topic readwrite site/#
topic deny site/secret/#
topic read plain

user ben
topic write site/+/x
topic read a b/c
"""

USERS = ("anna", "ben", None)
TOPICS = ("news/1", "box", "own/anna/1", "own/ben/1", "from/anna-pub", "site/1", "site/secret/1", "site/2/x", "plain", "a b/c", "other")


@unlike_mosquitto("is here, too")
class MosquittoAclTest(AccessCase):
    def setUp(self):
        folder = self.scratch_folder()
        self.acl, self.passwords = os.path.join(folder, "acl"), os.path.join(folder, "passwd")
        with open(self.acl, "w", encoding="utf-8") as file:
            file.write(ACL)
        open(self.passwords, "w", encoding="utf-8").close()
        library = os.path.join(PEERS, "mosquitto", "usr", "lib")
        for name in ("anna", "ben"):
            subprocess.run([MOSQUITTO_PASSWD, "-b", self.passwords, name, name], check=True, capture_output=True,
                           env={**os.environ, "LD_LIBRARY_PATH": library})
        os.chmod(self.passwords, 0o644)
        os.chmod(folder, 0o755)

    def start_chappe(self):
        policy = os.path.join(self.scratch_folder(), "policy.toml")
        converted = subprocess.run([chappe_command(), "role", "convert", self.acl], check=True, capture_output=True)
        with open(policy, "wb") as file:
            file.write(converted.stdout)
        self.server = self.start_server(flags=["--set", f"access.policy={policy}"])
        self.change("user", "import", self.passwords, "--no-role")
        return self.server

    def start_mosquitto(self):
        mosquitto = Mosquitto(extra=(f"acl_file {self.acl}", f"password_file {self.passwords}")).start()
        self.addCleanup(mosquitto.close)
        return mosquitto

    @staticmethod
    def user_at(broker, name):
        return [*tcp(broker), *(["-u", name, "-P", name] if name else [])]

    def published(self, broker, listener):
        """What each may publish, of all topics: a witness who may read everything sees it."""
        for user, topic in itertools.product(USERS, TOPICS):
            publish(self, "-i", f"{user}-pub", "-V", "5", "-q", "1", "-t", topic, "-m", str(user),
                    where=self.user_at(broker, user), expect=None)
        publish(self, "-q", "1", "-t", "end", "-m", "end", where=self.user_at(broker, "witness"))
        listener.wait(lambda: any(message.topic == "end" for message in listener.received()), "the end")
        return sorted((message.payload.decode(), message.topic) for message in listener.received())

    def test_decides_as_mosquitto_does(self):
        with open(self.acl, "a", encoding="utf-8") as file:
            file.write("user witness\ntopic readwrite #\n")
        subprocess.run([MOSQUITTO_PASSWD, "-b", self.passwords, "witness", "witness"], check=True, capture_output=True,
                       env={**os.environ, "LD_LIBRARY_PATH": os.path.join(PEERS, "mosquitto", "usr", "lib")})
        found = []
        for broker in (self.start_mosquitto(), self.start_chappe()):
            witness = Subscriber(self, "-V", "5", topics=["#"], where=self.user_at(broker, "witness"))
            readers = {user: Subscriber(self, "-V", "5", "-i", f"{user}-sub", topics=TOPICS,
                                        where=self.user_at(broker, user), subscribed=False) for user in USERS}
            for user, reader in readers.items():
                reader.wait(lambda reader=reader: any(b"Subscribed" in line for line in reader.process.stdout),
                            f"SUBACK for {user}")
            seen = {"witness": self.published(broker, witness)}
            for topic in TOPICS:  # And what each may read.
                publish(self, "-q", "1", "-t", topic, "-m", "all", where=self.user_at(broker, "witness"))
            own = {"anna": "own/anna/1", "ben": "own/ben/1", None: "news/1"}
            for user, reader in readers.items():
                publish(self, "-q", "1", "-t", own[user], "-m", "last", where=self.user_at(broker, "witness"))
                reader.wait(lambda reader=reader: any(m.payload == b"last" for m in reader.received()), "the last")
                seen[user] = sorted((m.payload.decode(), m.topic) for m in reader.received())
            found.append(seen)
        by_mosquitto, by_chappe = found
        self.assertEqual(by_chappe, by_mosquitto)
        self.assertIn(("ben", "site/2/x"), by_chappe["witness"])  # And it is not that nobody may do anything.

    def test_lines_that_cannot_be_used_are_named(self):
        with open(self.acl, "w", encoding="utf-8") as file:
            file.write("topic read a\ntopics b\n")
        ran = subprocess.run([chappe_command(), "role", "convert", self.acl], check=False, capture_output=True)
        self.assertEqual(ran.returncode, 1)
        self.assertIn(f"{self.acl}:2: error: a line begins with".encode(), ran.stderr)
        self.assertEqual(ran.stdout.decode(), '[[role]]\nname = "anonymous"\nrules = [\n  "allow subscribe,receive a",\n]\n')
