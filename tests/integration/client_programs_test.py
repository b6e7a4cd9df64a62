"""Paho for C (synchronous and asynchronous), Paho for C++ and mqtt.js: one set of scenarios, each client in its own process."""

import concurrent.futures
import os
import unittest

from support import limits, packets
from support.case import BrokerCase
from support.driver import MQTT_JS, Driver, paho_program, short
from support.paho_client import PahoClient
from support.proxy import DOWN, UP, cutting_plan, new_seed
from support.server import BROKER, unlike_mosquitto

V31, V311, V5 = 3, 4, 5
SESSION_TAKEN_OVER, BAD_AUTHENTICATION_METHOD = 0x8E, 0x8C


class ClientScenarios:
    """What every client is put through. A subclass says which client, and what that client cannot do."""

    cannot = {}  # Name of a test -> why this client cannot take it.
    resumed_versions = (V311, V5)  # Those in which the client knows that its session was resumed.
    cut_gently = False
    pairs, cuts_each = 2, 25  # Senders and receivers, and how often each loses its connection.

    def setUp(self):
        if self._testMethodName in self.cannot:
            self.skipTest(self.cannot[self._testMethodName])
        super().setUp()

    def command(self, folder):
        raise NotImplementedError

    def client(self, client_id="client", where=None, folder=None, **connect):
        return Driver(self, self.command(folder or self.scratch_folder()), where, id=client_id, **connect)

    def connected(self, client_id="client", where=None, **connect):
        client = self.client(client_id, where, **connect)
        event = client.connect()
        self.assertEqual((event.kind, event.number("code")), ("connected", 0))
        return client

    def persistent(self, client_id, version, where=None, folder=None):
        """Options of a client whose session outlives its connection."""
        expiry = {"session_expiry_interval": 1000} if version == V5 else {}
        return self.client(client_id, where, folder, version=version, clean=0, **expiry)

    def test_publish_and_subscribe(self):
        payloads = [b"", b"\x00\xff\n \r", "é".encode(), os.urandom(100_000)]
        for version in (V31, V311, V5):
            with self.subTest(version=version):
                receiver = self.connected("receiver", version=version)
                sender = self.connected("sender", version=version)
                for qos in (0, 1, 2):
                    self.assertEqual(receiver.subscribe(f"t/{qos}", qos), qos)
                expected = []
                for qos in (0, 1, 2):
                    for payload in payloads:
                        sender.publish(f"t/{qos}", payload, qos)
                        expected.append((f"t/{qos}", qos, False, payload))
                received = [short(event) for event in receiver.take(len(expected))]
                for qos in (0, 1, 2):
                    of_this_qos = [message for message in received if message[1] == qos]
                    self.assertEqual(of_this_qos, [message for message in expected if message[1] == qos])
                self.assertEqual(len(received), len(expected))
                receiver.disconnect()
                sender.disconnect()

    def test_unsubscribe(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                client = self.connected(version=version)
                client.subscribe("a", 1)
                client.subscribe("b", 1)
                self.assertEqual(client.unsubscribe("a"), 0)
                client.publish("a", b"no", 1)
                client.publish("b", b"yes", 1)
                self.assertEqual([short(event) for event in client.take(1)], [("b", 1, False, b"yes")])
                client.disconnect()

    def test_retained(self):
        client = self.connected()
        client.publish("r", b"kept", 1, retain=True)
        client.subscribe("r", 1)
        self.assertEqual([short(event) for event in client.take(1)], [("r", 1, True, b"kept")])

    def test_will(self):
        watcher = self.connected("watcher")
        watcher.subscribe("will", 2)
        will = {"will_topic": "will", "will_payload": b"\x00gone", "will_qos": 2}
        for version in (V31, V311, V5):
            self.connected("calm", version=version, **{**will, "will_payload": b"never"}).disconnect()
            self.connected("dying", version=version, **will).kill()
        expected = [("will", 2, False, b"\x00gone")] * 3
        self.assertEqual([short(event) for event in watcher.take(3)], expected)
        watcher.publish("will", b"marker", 2)
        self.assertEqual([short(event) for event in watcher.take(4)][3:], [("will", 2, False, b"marker")])

    def test_properties_of_messages(self):
        client = self.connected()
        properties = {
            "payload_format_indicator": 1,
            "content_type": "text/plain; charset=utf-8",
            "response_topic": "answers/é",
            "correlation_data": b"\x00\xff\x01",
        }
        user = [("a", "1"), ("a", "é"), ("b:c", "")]
        client.subscribe("p", 2, subscription_identifier=7)
        for qos in (0, 1, 2):
            client.publish("p", b"x", qos, message_expiry_interval=100, user_property=user, **properties)
        for event in client.take(3):
            for name, value in properties.items():
                expected = value if isinstance(value, bytes) else str(value).encode()
                self.assertEqual(event.bytes(name), expected)
            self.assertEqual(event.user_properties(), user)
            self.assertIn(event.number("message_expiry_interval"), range(40, 101))
            self.assertEqual(event.number("subscription_identifier"), 7)

    def test_properties_of_the_will(self):
        watcher = self.connected("watcher")
        watcher.subscribe("will", 1)
        dying = self.connected(
            "dying",
            session_expiry_interval=1000,
            will_topic="will",
            will_payload="gone",
            will__will_delay_interval=1,
            will__content_type="text/plain",
            will__response_topic="answer",
            will__correlation_data=b"\x01\x00",
            will__payload_format_indicator=1,
            will__message_expiry_interval=100,
            will__user_property=[("a", "1"), ("a", "2")],
        )
        dying.kill()
        (event,) = watcher.take(1)
        self.assertEqual(short(event), ("will", 0, False, b"gone"))
        self.assertEqual(event.text("content_type"), "text/plain")
        self.assertEqual(event.text("response_topic"), "answer")
        self.assertEqual(event.bytes("correlation_data"), b"\x01\x00")
        self.assertEqual(event.number("payload_format_indicator"), 1)
        self.assertIn(event.number("message_expiry_interval"), range(40, 101))
        self.assertEqual(event.user_properties(), [("a", "1"), ("a", "2")])

    def test_properties_of_the_connection(self):
        properties = {"session_expiry_interval": 10, "receive_maximum": 20, "maximum_packet_size": 10_000}
        event = self.client(topic_alias_maximum=5, user_property=[("k", "v")], **properties).connect()
        self.assertEqual(event.kind, "connected")
        self.assertGreater(event.number("receive_maximum"), 0)
        for absent in ("maximum_qos", "assigned_client_identifier", "server_keep_alive", "retain_available"):
            self.assertFalse(event.has(absent), absent)

    def test_session_resumes(self):
        for version in self.resumed_versions:
            with self.subTest(version=version):
                receiver = self.persistent(f"away{version}", version)
                self.assertEqual(receiver.connect().number("session_present"), 0)
                receiver.subscribe("wait", 2)
                receiver.disconnect()
                sender = PahoClient(self).connect()
                for number in range(20):
                    sender.publish("wait", b"%d" % number, 1 + number % 2)
                receiver.kill()
                receiver = self.persistent(f"away{version}", version)
                self.assertEqual(receiver.connect().number("session_present"), 1)
                received = [short(event) for event in receiver.take(20)]
                for qos in (1, 2):
                    expected = [("wait", qos, False, b"%d" % number) for number in range(qos - 1, 20, 2)]
                    self.assertEqual([message for message in received if message[1] == qos], expected)
                receiver.disconnect()

    def test_takeover(self):
        proxy = self.start_proxy()
        first = self.connected("same", where=proxy)
        self.connected("same")
        if BROKER == "mosquitto":  # 2.0.11 closes without a word.
            first.wait_event("lost")
        else:
            self.assertEqual(first.wait_event("ended").number("code"), SESSION_TAKEN_OVER)

    def test_automatic_reconnect(self):
        proxy = self.start_proxy()
        client = self.connected(where=proxy, clean=0, session_expiry_interval=1000, automatic_reconnect=1)
        client.subscribe("t", 2)
        for number in (1, 2):
            proxy.cut()
            client.wait_event("reconnected", number)
            PahoClient(self).connect().publish("t", b"%d" % number, 2)
        self.assertEqual([event.bytes("payload") for event in client.take(2)], [b"1", b"2"])

    def test_single_bytes(self):
        proxy = self.start_proxy(single_bytes=True)
        for version in (V311, V5):
            client = self.connected(where=proxy, version=version)
            client.subscribe("t", 2)
            for qos in (0, 1, 2):
                client.publish("t", b"x" * 300, qos)
            self.assertEqual({short(event) for event in client.take(3)}, {("t", qos, False, b"x" * 300) for qos in (0, 1, 2)})
            client.disconnect()

    def test_slow_and_stalled_connection(self):
        proxy = self.start_proxy(bytes_per_second=200_000)
        receiver = self.connected("receiver", where=proxy)
        receiver.subscribe("t", 1)
        sender = PahoClient(self).connect()
        payload = os.urandom(20_000)
        for number in range(10):
            sender.publish("t", b"%d" % number + payload, 1)
            if number == 3:
                proxy.stall(DOWN)
        proxy.resume()
        received = [event.bytes("payload") for event in receiver.take(10)]
        self.assertEqual(received, [b"%d" % number + payload for number in range(10)])

    def test_messages_in_flight_survive_the_clients_death(self):
        for version in self.resumed_versions:
            with self.subTest(version=version):
                self.messages_survive(version)

    def messages_survive(self, version):
        proxy, folder = self.start_proxy(), self.scratch_folder()
        receiver = PahoClient(self).connect()
        receiver.subscribe("t", 2)
        sender = self.persistent(f"dying{version}", version, proxy, folder)
        sender.connect()
        proxy.hold(DOWN)
        for number in range(10):
            sender.start_publishing("t", b"%d" % number, 2)
        proxy.wait_packets(UP, packets.PUBLISH, 10)
        sender.kill()
        proxy.resume()
        # The broker forgets nothing: half of the messages have reached it, and each may come only once.
        sender = self.persistent(f"dying{version}", version, proxy, folder)
        self.assertEqual(sender.connect().number("session_present"), 1)
        proxy.wait_for(lambda: len({p.packet_id for p in proxy.packets(UP, packets.PUBREL)}) == 10, what="release of each message")
        received = receiver.take(10)
        receiver.publish("t", b"end", 2)
        self.assertEqual([m.payload for m in receiver.take(11)], [*(m.payload for m in received[:10]), b"end"])
        self.assertCountEqual([m.payload for m in received], [b"%d" % number for number in range(10)])
        sender.disconnect()

    def test_exactly_once_over_forced_cuts_3_1_1(self):
        self.exactly_once(V311)

    def test_exactly_once_over_forced_cuts_5(self):
        self.exactly_once(V5)

    def exactly_once(self, version):
        """Several senders, each with a receiver, on connections that are cut at random bytes."""
        seed = new_seed(self)
        pairs = [Pair(self, version, number, seed + 2 * number) for number in range(self.pairs)]
        # Side by side, because some clients take a second to connect again.
        with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
            list(pool.map(Pair.run, pairs))


class Pair:
    """A sender and a receiver of numbers at QoS 2, each behind a proxy that cuts its connection again and again."""

    window = 20  # Messages sent and not yet acknowledged.
    ahead = 40  # Messages sent and not yet received: a sender whose cuts are over does not run away from its receiver.

    def __init__(self, case, version, number, seed):
        self.case, self.topic = case, f"once/{number}"
        self.sender, self.out = self.cut_client(f"sender{number}", version, seed)
        self.receiver, self.back = self.cut_client(f"receiver{number}", version, seed + 1)
        self.sent, self.tags, self.refused, self.seen = [], {}, [], 0
        self.connected = False

    def cut_client(self, name, version, seed):
        plan = cutting_plan(seed, self.case.cuts_each, least=20, most=1500)
        # The first connection is not cut by the plan, so that the subscription can be made.
        proxy = self.case.start_proxy(
            cut_after=lambda done: plan(done - 1) if done > 0 else None, gentle=self.case.cut_gently
        )
        return self.case.persistent(name, version, proxy), proxy

    def run(self):
        self.start()
        while not self.publish_some():
            pass
        self.finish()
        self.check()

    def start(self):
        for client in (self.sender, self.receiver):
            self.case.assertEqual(client.connect().kind, "connected")
        self.receiver.subscribe(self.topic, 2)
        # Its connection is not cut: it sees the order in which the broker took the messages. That is not always the order of
        # the numbers, because the clients themselves send new messages before old ones again.
        self.witness = PahoClient(self.case).connect()
        self.witness.subscribe(self.topic, 2)
        for client, proxy in ((self.sender, self.out), (self.receiver, self.back)):
            client.reconnect_from_now_on()
            proxy.cut()

    def enough_cuts(self):
        return min(self.out.cuts, self.back.cuts) > self.case.cuts_each

    def publish_some(self):
        """Fills the window once. True when there were enough cuts and nothing is left to be given to the client again."""
        count = len(self.sent) - self.ahead
        self.receiver.wait(lambda: self.receiver.count("message") >= count, f"message number {count}", limits.BULK_SECONDS)
        self.sender.wait(self.may_send, "acknowledgement", limits.BULK_SECONDS)
        if self.refused:
            for payload in self.refused:
                self.send(payload)
            self.refused = []
        elif self.enough_cuts():
            return True
        else:
            self.case.assertLess(len(self.sent), 20_000, "the connections are not cut any more")
            self.sent.append(b"%d" % len(self.sent))
            self.send(self.sent[-1])
        return False

    def send(self, payload):
        self.tags[self.sender.start_publishing(self.topic, payload, 2)] = payload

    def finish(self):
        """Until the client has an acknowledgement for every number. It may refuse one some time after it was given it."""
        while self.sender.count("published") < len(self.sent):
            self.sender.wait(self.may_finish, "last acknowledgement", limits.BULK_SECONDS)
            refused, self.refused = self.refused, []
            for payload in refused:
                self.send(payload)

    def may_finish(self):
        self.look_at_events()
        return self.connected if self.refused else self.sender.count("published") == len(self.sent)

    def may_send(self):
        self.look_at_events()
        unacknowledged = len(self.sent) - self.sender.count("published")
        return self.connected if self.refused else unacknowledged < self.window

    def look_at_events(self):
        events = self.sender.events
        for event in events[self.seen :]:
            self.seen += 1
            if event.kind == "refused":  # The client was not connected and kept nothing: the number will be given to it again.
                self.refused.append(self.tags.pop(event.number("tag")))
            elif event.kind in ("connected", "lost"):
                self.connected = event.kind == "connected"

    def check(self):
        count = len(self.sent)
        self.receiver.wait(lambda: self.receiver.count("message") >= count, f"all {count} messages", limits.BULK_SECONDS)
        PahoClient(self.case).connect().publish(self.topic, b"end", 2)
        self.receiver.wait(lambda: self.receiver.messages()[-1].bytes("payload") == b"end", "end")
        taken = [message.payload for message in self.witness.take(count + 1)]
        self.case.assertEqual(sorted(taken), sorted([*self.sent, b"end"]))
        received = [event.bytes("payload") for event in self.receiver.messages()]
        if BROKER == "mosquitto":  # 2.0.11 keeps to no order among messages that it sends again.
            received, taken = sorted(received), sorted(taken)
        self.case.assertEqual(received, taken)


class PahoCAsyncTest(ClientScenarios, BrokerCase):
    # Paho C 1.3.12 frees a message whose first write failed, and sends it again all the same.
    cut_gently = True
    # It takes a second to connect again; so there are many at the same time.
    pairs, cuts_each = 5, 10

    def command(self, folder):
        return [paho_program("paho_c_async"), folder]


class PahoCSyncTest(ClientScenarios, BrokerCase):
    # Paho C 1.3.12 takes every session of 5.0 for a new one here, and forgets what was in flight.
    resumed_versions = (V311,)
    cannot = {
        "test_automatic_reconnect": "the synchronous client has no such function",
        "test_exactly_once_over_forced_cuts_5": "it forgets its messages in flight in 5.0",
    }
    cut_gently = True

    def command(self, folder):
        return [paho_program("paho_c_sync"), folder]


class PahoCppTest(ClientScenarios, BrokerCase):
    # It stands on the asynchronous C client.
    cut_gently = PahoCAsyncTest.cut_gently
    pairs, cuts_each = PahoCAsyncTest.pairs, PahoCAsyncTest.cuts_each

    def command(self, folder):
        return [paho_program("paho_cpp"), folder]


class MqttJsTest(ClientScenarios, BrokerCase):
    cannot = {"test_messages_in_flight_survive_the_clients_death": "mqtt.js keeps its messages in memory"}

    def command(self, folder):
        return MQTT_JS

    def test_an_authentication_method_that_there_is_not_is_refused(self):
        client = self.client(authentication_method="GS2-KRB5", authentication_data=b"\x01\x02")
        event = client.connect()
        self.assertEqual((event.kind, event.number("code")), ("failed", BAD_AUTHENTICATION_METHOD))

    def test_assigned_client_identifier(self):
        event = self.client("").connect()
        self.assertEqual(event.kind, "connected")
        self.assertTrue(event.text("assigned_client_identifier"))

    @unlike_mosquitto("makes no aliases")
    def test_topic_aliases_both_ways(self):
        proxy = self.start_proxy()
        client = self.connected(where=proxy, topic_alias_maximum=3)
        client.subscribe("long/#", 1)
        expected = []
        for number in range(20):
            topic = f"long/topic/{number % 2}"
            client.publish(topic, b"%d" % number, 1, topic_alias=1 + number % 2)
            expected.append((topic, 1, False, b"%d" % number))
        self.assertEqual([short(event) for event in client.take(20)], expected)
        without_topic = [packet for packet in proxy.packets(DOWN, packets.PUBLISH) if packet.topic == ""]
        self.assertGreaterEqual(len(without_topic), 18)


if __name__ == "__main__":
    unittest.main()
