"""SCRAM-SHA-256: a password is proved without being sent, at CONNECT and again on a connection that is in use."""

import base64
import hashlib
import hmac
import os
import socket

from access_test import PASSWORD, AccessCase
from support import limits, packets
from support.driver import MQTT_JS, Driver
from support.server import unlike_mosquitto

METHOD, DATA = b"\x15", b"\x16"  # Authentication Method and Authentication Data.
CONTINUE, AGAIN = 0x18, 0x19
SUCCESS, NOT_AUTHORIZED, BANNED = 0, 0x87, 0x8A


class ScramConnection:
    """A client of its own on a raw socket, which can authenticate again."""

    def __init__(self, case, client_id):
        self.stream = socket.create_connection((case.server.host, case.server.port), limits.EVENT_SECONDS)
        case.addCleanup(self.stream.close)
        self._client_id = client_id
        self._left = b""

    def begin(self, name):
        self._first = f"n={name},r=" + base64.b64encode(self._client_id.encode()).decode()
        return self._properties("n,," + self._first)

    def connect(self, name, password):
        """The body of what comes after the proof."""
        self.stream.sendall(packets.connect(self._client_id, properties=self.begin(name)))
        return self.prove(password)

    def connect_again(self, name, password):
        self._send_auth(AGAIN, self.begin(name))
        return self.prove(password)

    def prove(self, password):
        challenge = self.receive()
        assert challenge.kind == packets.AUTH and challenge.body[0] == CONTINUE, challenge
        self._send_auth(CONTINUE, self._properties(self._final(self._data(challenge.body[1:]).decode(), password)))
        return self.receive()

    def receive(self):
        while True:
            found, self._left = packets.split_packets(self._left)
            if found:
                return found[0]
            more = self.stream.recv(4096)
            assert more, "the connection has ended"
            self._left += more

    def proves_the_server(self, packet):
        """CONNACK or AUTH with the server's own proof."""
        at = 2 if packet.kind == packets.CONNACK else 1
        return self._data(packet.body[at:]) == b"v=" + base64.b64encode(self._server_signature)

    def _send_auth(self, code, properties):
        self.stream.sendall(packets.packet(packets.AUTH, 0, bytes([code, len(properties)]) + properties))

    @staticmethod
    def _properties(data):
        return METHOD + packets.text("SCRAM-SHA-256") + DATA + packets.text(data)

    @staticmethod
    def _data(properties):
        """Authentication Data is what follows the method's name."""
        at = properties.index(METHOD + packets.text("SCRAM-SHA-256") + DATA) + 19
        return properties[at : at + int.from_bytes(properties[at - 2 : at], "big")]

    def _final(self, server_first, password):
        nonce, salt, iterations = (part[2:] for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
        client_key = self._hmac(salted, b"Client Key")
        without_proof = f"c=biws,r={nonce}"
        signed = ",".join((self._first, server_first, without_proof)).encode()
        signature = self._hmac(hashlib.sha256(client_key).digest(), signed)
        self._server_signature = self._hmac(self._hmac(salted, b"Server Key"), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{without_proof},p={base64.b64encode(proof).decode()}"

    @staticmethod
    def _hmac(key, text):
        return hmac.new(key, text, hashlib.sha256).digest()


@unlike_mosquitto("has no enhanced authentication without a plugin")
class ScramTest(AccessCase):
    def setUp(self):
        self.server = self.start_server()
        self.add("bob")

    def mqtt_js(self, user, password):
        return Driver(self, MQTT_JS, id="js", scram_user=user, scram_password=password).connect()

    def test_mqtt_js_proves_its_password_and_learns_that_the_server_knows_it(self):
        accepted = self.mqtt_js("bob", PASSWORD)
        self.assertEqual((accepted.kind, accepted.number("server_proved")), ("connected", 1))
        event = self.server.process.wait_for(lambda: next(
            (event for event in self.server.broker.logged("client_connected") if event.get("user") == "bob"), None))
        self.assertEqual(event["method"], "SCRAM-SHA-256")

    def test_who_does_not_know_the_password_is_not_let_in(self):
        for user, password, why in (("bob", "guess", "the password is wrong"), ("eve", "x", "there is no such user")):
            refused = self.mqtt_js(user, password)
            self.assertEqual((refused.kind, refused.number("code")), ("failed", NOT_AUTHORIZED))
            self.server.process.wait_for(lambda: any(
                event.get("user") == user and event["reason"] == f"SCRAM-SHA-256: {why}"
                for event in self.server.broker.logged("connect_refused")) or None)

    def test_imported_hashes_are_of_no_use_for_it(self):
        hashed = "carol:$7$101$/lH0ZEc2Wn1FEpAt$" + base64.b64encode(bytes(64)).decode()
        path = os.path.join(self.scratch_folder(), "passwords")
        with open(path, "w", encoding="utf-8") as file:
            file.write(hashed + "\n")
        self.change("user", "import", path)
        self.assertEqual(self.mqtt_js("carol", "x").number("code"), NOT_AUTHORIZED)

    def test_one_may_authenticate_again(self):
        bob = ScramConnection(self, "raw")
        accepted = bob.connect("bob", PASSWORD)
        self.assertEqual((accepted.kind, accepted.body[1]), (packets.CONNACK, SUCCESS))
        self.assertTrue(bob.proves_the_server(accepted))
        again = bob.connect_again("bob", PASSWORD)
        self.assertEqual((again.kind, again.body[0]), (packets.AUTH, SUCCESS))
        self.assertTrue(bob.proves_the_server(again))
        wrong = bob.connect_again("bob", "guess")
        self.assertEqual((wrong.kind, wrong.body[0]), (packets.DISCONNECT, NOT_AUTHORIZED))

    def test_nobody_becomes_somebody_else(self):
        self.add("carol")
        bob = ScramConnection(self, "raw")
        bob.connect("bob", PASSWORD)
        other = bob.connect_again("carol", PASSWORD)
        self.assertEqual((other.kind, other.body[0]), (packets.DISCONNECT, NOT_AUTHORIZED))

    def test_guessing_is_slowed_down(self):
        for number in range(5):
            self.assertEqual(ScramConnection(self, f"raw{number}").connect("bob", "guess").body[1], NOT_AUTHORIZED)
        late = ScramConnection(self, "late")
        late.stream.sendall(packets.connect("late", properties=late.begin("bob")))
        self.assertEqual(late.receive().body[1], BANNED)
