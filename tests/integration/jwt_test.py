"""JSON Web Tokens, made by PyJWT, as the passwords of clients."""

import json
import os
import socket
import time

import jwt
from access_test import BAD_PASSWORD, PASSWORD, AccessCase
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from support import limits, packets, ports
from support.mosquitto_tools import Subscriber, publish
from support.polling import ask_until
from support.process import Process
from support.server import chappe_command, unlike_mosquitto
from support.web_server import WebServer
from tls_test import make_certificates

ACCEPTED, UNAVAILABLE = 0, 3  # As CONNACK of 3.1.1 has it.
SECRET = "a secret of thirty-two characters"


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def token(key, algorithm, name="pump-7", lasts=60, key_id=None, **claims):
    headers = {"kid": key_id} if key_id else None
    return jwt.encode({"sub": name, "exp": int(time.time()) + lasts, **claims}, key, algorithm, headers=headers)


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(**keys):
    entries = [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}
               for name, key in keys.items()]
    return json.dumps({"keys": entries})


class TokenCase(AccessCase):
    key = None  # Where it is.

    def flags(self, *algorithms, **settings):
        settings = {"algorithms": ",".join(algorithms), "key": self.key, **settings}
        return ["--set", "access.methods=jwt,accounts",
                *(word for name, value in settings.items() for word in ("--set", f"jwt.{name}={value}"))]

    def serve(self, *algorithms, **settings):
        self.server = self.start_server(flags=self.flags(*algorithms, **settings))


@unlike_mosquitto("has no such method without a plugin")
class TokensTest(TokenCase):
    def setUp(self):
        self.key_file = os.path.join(self.scratch_folder(), "key")
        self.key = f"file:{self.key_file}"

    def write_key(self, content):
        with open(self.key_file + ".new", "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(self.key_file + ".new", 0o600)
        os.replace(self.key_file + ".new", self.key_file)

    def test_each_kind_of_key_checks_its_tokens_and_no_others(self):
        keys = {"RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
                "ES256": ec.generate_private_key(ec.SECP256R1()),
                "EdDSA": ed25519.Ed25519PrivateKey.generate()}
        for algorithm, key in keys.items():
            with self.subTest(algorithm):
                self.write_key(public_pem(key))
                self.serve(algorithm)
                self.assertEqual(self.connack("x", token(key, algorithm)), ACCEPTED)
                self.assertEqual(self.wait_event("client_connected", user="pump-7")["method"], "jwt")
                for other, wrong in keys.items():
                    if other != algorithm:
                        self.assertEqual(self.connack("x", token(wrong, other)), BAD_PASSWORD)
                self.server.stop()

    def test_a_secret_is_shared_with_the_issuer(self):
        self.write_key(SECRET + "\n")
        self.serve("HS256", issuer="here", audience="chappe", roles_claim="realm.roles", roles_allowed="viewer")
        good = {"iss": "here", "aud": ["other", "chappe"]}
        self.assertEqual(self.connack("x", token(SECRET, "HS256", **good)), ACCEPTED)
        for why, bad in {
            "token: it has expired (exp)": token(SECRET, "HS256", lasts=-90, **good),
            "token: it is not from the issuer (iss) that is wanted here": token(SECRET, "HS256", aud="chappe"),
            "token: it is not for the audience (aud) that is wanted here": token(SECRET, "HS256", iss="here"),
            "token: its signature is wrong": token("guess", "HS256", **good),
            "token: its algorithm (alg) is not one that is allowed here": token(SECRET, "HS512", **good),
        }.items():
            self.assertEqual(self.connack("x", bad), BAD_PASSWORD)
            self.wait_event("connect_refused", reason=f"jwt: {why}")

    def test_accounts_are_asked_for_passwords(self):
        self.write_key(SECRET)
        self.serve("HS256")
        self.add("bob")
        self.assertEqual(self.connack("bob", PASSWORD), ACCEPTED)
        self.assertEqual(self.connack("bob", "guess"), BAD_PASSWORD)
        self.change("user", "disable", "bob")
        self.assertEqual(self.connack("bob", token(SECRET, "HS256", "bob")), BAD_PASSWORD)
        self.wait_event("connect_refused", reason="jwt: the account bob is disabled")

    def test_a_claim_says_where_the_client_may_publish(self):
        self.write_key(SECRET)
        self.serve("HS256", roles="site")
        self.change("role", "add", "site", "--rule", "allow all sites/${claim.site}/#")
        north = self.as_user("x", token(SECRET, "HS256", site="north"))
        south = self.as_user("x", token(SECRET, "HS256", "pump-8", site="south"))
        subscriber = Subscriber(self, topics=["sites/north/#"], where=north)
        publish(self, "-t", "sites/north/x", "-m", "no", "-q", "1", where=south, expect=None)
        publish(self, "-t", "sites/north/x", "-m", "yes", "-q", "1", where=north)
        self.assertEqual([message.payload for message in subscriber.messages(1)], [b"yes"])

    def test_a_connection_ends_with_its_token(self):
        self.write_key(SECRET)
        self.serve("HS256", leeway_seconds=0)
        began = time.time()
        with socket.create_connection((self.server.host, self.server.port), limits.EVENT_SECONDS) as stream:
            password = packets.text(token(SECRET, "HS256", lasts=2))
            body = packets.text("MQTT") + bytes([5, 0x42, 0, 60, 0]) + packets.text("c") + password
            stream.sendall(packets.packet(packets.CONNECT, 0, body))
            kinds = [packet.kind for packet in self.packets_from(stream)]
        self.assertEqual(kinds, [packets.CONNACK, packets.DISCONNECT])
        self.assertGreaterEqual(time.time() - began, 0.9)  # `exp` is in whole seconds.

    def test_keys_are_exchanged_while_it_runs(self):
        old, new = rsa_key(), rsa_key()
        self.write_key(key_set(old=old))
        self.serve("RS256")
        old_token, new_token = token(old, "RS256", key_id="old"), token(new, "RS256", key_id="new")
        self.assertEqual((self.connack("x", old_token), self.connack("x", new_token)), (ACCEPTED, BAD_PASSWORD))
        self.write_key("{")
        self.assertIn("jwt.key: ", self.wait_event("token_keys", level="error")["reason"])
        self.assertEqual(self.connack("x", old_token), ACCEPTED)
        self.write_key(key_set(new=new))
        self.wait_event("token_keys", level="info")
        self.assertEqual((self.connack("x", old_token), self.connack("x", new_token)), (BAD_PASSWORD, ACCEPTED))

    def test_it_does_not_start_without_a_key_that_fits(self):
        self.write_key(public_pem(ec.generate_private_key(ec.SECP256R1())))
        for flags, why in (
            (self.flags("RS256"), "jwt.key: no key there is of the right kind and length for jwt.algorithms"),
            (self.flags("RS256", key="file:/nowhere"), "jwt.key: "),
            (self.flags("RS256", key=""), "jwt.key: it must be said where the key is"),
            (self.flags("RS256", key="http://login.example.com/keys"), "jwt.key: whoever is on the way"),
            (self.flags("RS256,HS256", key="https://127.0.0.1/keys"), "jwt.key: a key at a URL is no secret"),
            (self.flags("none"), 'jwt.algorithms: "none" is none of them'),
            (self.flags("RS256", roles_claim="roles"), "jwt.roles_allowed: "),
        ):
            process = Process([chappe_command(), "serve", "--data", self.scratch_folder(),
                               "--listen", "mqtt://127.0.0.1:0", *flags])
            self.addCleanup(process.kill)
            self.assertNotEqual(process.finish(), 0, process.report())
            self.assertIn(why, b"\n".join(process.stderr).decode())


@unlike_mosquitto("has no such method without a plugin")
class PublishedKeysTest(TokenCase):
    """The issuer has its keys at a URL."""

    def setUp(self):
        self.keys, self.fetches = {}, 0

    def publish_keys(self, **options):
        def answer(*_):
            self.fetches += 1
            return 200, {"Content-Type": "application/jwk-set+json"}, key_set(**self.keys).encode()

        self.issuer = WebServer(self, answer, **options)
        self.key = self.issuer.url + "/keys"

    def test_they_are_fetched_and_kept(self):
        folder = self.scratch_folder()
        make_certificates(folder, "--name", "127.0.0.1")
        key = rsa_key()
        self.keys["now"] = key
        self.publish_keys(certificate=os.path.join(folder, "server"))
        self.serve("RS256", key_ca_file=os.path.join(folder, "ca.pem"))
        good = token(key, "RS256", key_id="now")
        self.assertEqual(self.connack("x", good), ACCEPTED)
        self.assertEqual(self.connack("x", token(rsa_key(), "RS256", key_id="now")), BAD_PASSWORD)
        self.issuer.close()
        self.assertEqual(self.connack("x", good), ACCEPTED)
        self.assertEqual(self.fetches, 1)

    def test_an_issuer_that_cannot_be_reached_is_asked_again(self):
        key = rsa_key()
        self.keys["now"] = key
        port = ports.free_port("127.0.0.1")
        self.key = f"http://127.0.0.1:{port}/keys"
        self.serve("RS256")
        self.wait_event("token_keys", level="warning")
        self.assertEqual(self.connack("x", token(key, "RS256")), UNAVAILABLE)
        self.wait_event("connect_refused", reason="jwt: the keys that tokens are checked with are not there yet")
        self.publish_keys(port=port)
        self.wait_event("token_keys", level="info")  # After five seconds.
        self.assertEqual(self.connack("x", token(key, "RS256")), ACCEPTED)

    def test_whom_nobody_vouches_for_is_not_believed(self):
        folder = self.scratch_folder()
        make_certificates(folder, "--name", "127.0.0.1")
        key = rsa_key()
        self.keys["now"] = key
        self.publish_keys(certificate=os.path.join(folder, "server"))
        self.serve("RS256")
        self.assertIn("certificate", self.wait_event("token_keys", level="warning")["reason"])
        self.assertEqual(self.connack("x", token(key, "RS256")), UNAVAILABLE)

    def test_a_key_that_is_not_known_yet_is_fetched(self):
        old, new = rsa_key(), rsa_key()
        self.keys["old"] = old
        self.publish_keys()
        self.serve("RS256")
        old_token, new_token = token(old, "RS256", key_id="old"), token(new, "RS256", key_id="new")
        self.assertEqual(self.connack("x", old_token), ACCEPTED)
        self.keys["new"] = new
        # The broker asks once in ten seconds at most.
        ask_until(lambda answer: answer == ACCEPTED, lambda: self.connack("x", new_token), "token with the new key",
                  seconds=2 * limits.EVENT_SECONDS)
        self.assertEqual((self.connack("x", old_token), self.fetches), (ACCEPTED, 2))
