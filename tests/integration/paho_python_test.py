"""Debian's python3-paho-mqtt: many clients, sessions, wills, reason codes and the flow control of 5.0."""

import time
import unittest

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

from support import limits, packets
from support.case import BrokerCase
from support.paho_client import V31, V311, V5, PahoClient
from support.proxy import DOWN, UP
from support.server import BROKER, unlike_mosquitto

SUCCESS, DISCONNECT_WITH_WILL, NO_MATCHING_SUBSCRIBERS, NO_SUBSCRIPTION_EXISTED = 0x00, 0x04, 0x10, 0x11
SERVER_SHUTTING_DOWN, KEEP_ALIVE_TIMEOUT, SESSION_TAKEN_OVER = 0x8B, 0x8D, 0x8E
RECEIVE_MAXIMUM_EXCEEDED, TOPIC_ALIAS_INVALID, PACKET_TOO_LARGE = 0x93, 0x94, 0x95


def disconnect_codes(proxy):
    """The reason codes of the broker's DISCONNECTs: Paho 1.6.1 shows them only if there are properties, too."""
    return [packet.body[0] if packet.body else SUCCESS for packet in proxy.packets(DOWN, packets.DISCONNECT)]


class ManyClientsTest(BrokerCase):
    # A client that is not ours, over TCP: [MQTT-4.2-1] [MQTT3-7.0.0-2] [MQTT3-7.1.1-1].
    def test_two_hundred_clients(self):
        versions = (V31, V311, V5)
        clients = [PahoClient(self, f"c{number}", versions[number % 3]) for number in range(200)]
        for client in clients:
            client.start_connecting()
        for number, client in enumerate(clients):
            client.wait(lambda c=client: c.connacks, "CONNACK", limits.BULK_SECONDS)
            self.assertEqual(client.subscribe(f"ring/{number}", 1), 1)
            client.subscribe("all", 1)
        for number, client in enumerate(clients):
            for count in range(10):
                client.start_publishing(f"ring/{(number + 1) % 200}", b"%d %d" % (number, count), 1)
        for client in clients:
            client.wait(lambda c=client: len(c.published) == 10, "acknowledgements", limits.BULK_SECONDS)
        clients[0].publish("all", b"end", 1)
        for number, client in enumerate(clients):
            messages = client.take(11, limits.BULK_SECONDS)
            before = (number - 1) % 200
            expected = [(f"ring/{number}", 1, False, b"%d %d" % (before, count)) for count in range(10)]
            self.assertEqual([m.short() for m in messages], [*expected, ("all", 1, False, b"end")])


class SessionTest(BrokerCase):
    def test_session_present(self):
        for version, expiry in ((V311, {}), (V5, {"SessionExpiryInterval": 100})):
            with self.subTest(version=version):
                options = {"version": version, "connect": expiry}
                client = PahoClient(self, "s", clean=True, **options).connect()
                self.assertFalse(client.connack()["session_present"])
                client.disconnect()
                # A clean start in 3.1.1 leaves no session; in 5.0 the expiry interval keeps the one that it began.
                client = PahoClient(self, "s", clean=False, **options).connect()
                self.assertEqual(client.connack()["session_present"], version == V5)
                client.disconnect()
                client = PahoClient(self, "s", clean=False, **options).connect()
                self.assertTrue(client.connack()["session_present"])
                client.disconnect()
                client = PahoClient(self, "s", clean=True, **options).connect()
                self.assertFalse(client.connack()["session_present"])
                client.disconnect()

    def test_session_ends_with_the_connection_by_default_in_5_0(self):
        PahoClient(self, "s").connect().disconnect()
        self.assertFalse(PahoClient(self, "s", clean=False).connect().connack()["session_present"])

    def test_expiry_set_at_disconnect(self):
        client = PahoClient(self, "s", connect={"SessionExpiryInterval": 100}).connect()
        client.disconnect(SessionExpiryInterval=0)
        self.assertFalse(PahoClient(self, "s", clean=False).connect().connack()["session_present"])

    def test_messages_wait_in_order_and_duplicates_are_marked(self):
        proxy = self.start_proxy()
        options = {"clean": False, "connect": {"SessionExpiryInterval": 100}}
        client = PahoClient(self, "s", where=proxy, **options).connect()
        client.subscribe("q/#", 2)
        proxy.hold(UP)  # The broker gets no acknowledgement from now on.
        sender = PahoClient(self).connect()
        for number in range(5):
            sender.publish("q/1", b"%d" % number, 1)
        self.assertEqual([m.payload for m in client.take(5)], [b"0", b"1", b"2", b"3", b"4"])
        proxy.cut()
        client.wait_left()
        for number in range(5, 10):
            sender.publish("q/2", b"%d" % number, 1)
        client.forget_messages()
        proxy.resume()
        client.connect()
        messages = client.take(10)
        self.assertTrue(client.connack()["session_present"])
        self.assertEqual([m.payload for m in messages], [b"%d" % number for number in range(10)])
        self.assertEqual([m.dup for m in messages], [True] * 5 + [False] * 5)

    def test_takeover(self):
        proxy = self.start_proxy()
        first = PahoClient(self, "same", where=proxy, connect={"SessionExpiryInterval": 100}).connect()
        first.subscribe("t", 1)
        second = PahoClient(self, "same", clean=False, connect={"SessionExpiryInterval": 100}).connect()
        self.assertTrue(second.connack()["session_present"])
        first.wait_disconnected()
        if BROKER != "mosquitto":  # 2.0.11 closes without a word.
            self.assertEqual(disconnect_codes(proxy), [SESSION_TAKEN_OVER])
        second.publish("t", b"x", 1)
        self.assertEqual([m.short() for m in second.take(1)], [("t", 1, False, b"x")])
        self.assertEqual(first.messages, [])

    def test_takeover_between_versions(self):
        first = PahoClient(self, "same", V311, clean=False).connect()
        first.subscribe("t", 1)
        second = PahoClient(self, "same", V5, clean=False, connect={"SessionExpiryInterval": 100}).connect()
        first.wait_disconnected()
        self.assertTrue(second.connack()["session_present"])
        second.publish("t", b"x", 1)
        self.assertEqual([m.payload for m in second.take(1)], [b"x"])

    def test_takeover_many_times(self):
        clients = [PahoClient(self, "same", V311, clean=False) for _ in range(20)]
        for client in clients:
            client.connect()
        for client in clients[:-1]:
            client.wait_disconnected()
        self.assertEqual(clients[-1].subscribe("t", 1), 1)
        clients[-1].publish("t", b"x", 1)
        self.assertEqual([m.payload for m in clients[-1].take(1)], [b"x"])

    def test_assigned_client_id(self):
        first = PahoClient(self, "", connect={"SessionExpiryInterval": 100}).connect()
        second = PahoClient(self, "", connect={"SessionExpiryInterval": 100}).connect()
        assigned = first.connack()["AssignedClientIdentifier"]
        self.assertTrue(assigned)
        self.assertNotEqual(assigned, second.connack()["AssignedClientIdentifier"])
        first.disconnect()
        resumed = PahoClient(self, assigned, clean=False, connect={"SessionExpiryInterval": 100}).connect()
        self.assertTrue(resumed.connack()["session_present"])
        self.assertNotIn("AssignedClientIdentifier", resumed.connack())

    def test_empty_client_id_in_3_1_1(self):
        first, second = PahoClient(self, "", V311).connect(), PahoClient(self, "", V311).connect()
        first.subscribe("t", 1)
        second.publish("t", b"x", 1)
        self.assertEqual([m.payload for m in first.take(1)], [b"x"])

    def test_no_connection_survives_a_stop(self):
        proxy = self.start_proxy()
        newer = PahoClient(self, "v5", V5, where=proxy).connect()
        older = PahoClient(self, "v3", V311, where=self.server).connect()
        self.server.stop()  # Checks the exit code and the time limit.
        newer.wait_disconnected()
        older.wait_disconnected()
        if BROKER != "mosquitto":  # Which says nothing when it stops.
            self.assertEqual(disconnect_codes(proxy), [SERVER_SHUTTING_DOWN])


class WillTest(BrokerCase):
    will = {"topic": "will", "payload": b"gone", "qos": 1}

    def setUp(self):
        super().setUp()
        self.watcher = PahoClient(self, "watcher").connect()
        self.watcher.subscribe("#", 1)

    def mark(self):
        """What came before now."""
        self.watcher.publish("marker", b"", 1)
        return [m.short() for m in self.watcher.until("marker")]

    def test_broken_connection_and_disconnect(self):
        for version in (V31, V311, V5):
            with self.subTest(version=version):
                self.watcher.forget_messages()
                PahoClient(self, "calm", version, will={**self.will, "payload": b"never"}).connect().disconnect()
                PahoClient(self, "dying", version, will=self.will).connect().break_connection()
                self.assertEqual([m.short() for m in self.watcher.take(1)], [("will", 1, False, b"gone")])

    def test_disconnect_with_will(self):
        client = PahoClient(self, "asks", will=self.will).connect()
        client.disconnect(ReasonCodes(PacketTypes.DISCONNECT, identifier=DISCONNECT_WITH_WILL))
        self.assertEqual([m.short() for m in self.watcher.take(1)], [("will", 1, False, b"gone")])

    def test_takeover_publishes_the_will(self):
        first = PahoClient(self, "same", will=self.will).connect()
        PahoClient(self, "same").connect()
        first.wait_disconnected()
        self.assertEqual([m.short() for m in self.watcher.take(1)], [("will", 1, False, b"gone")])

    def test_will_delay(self):
        options = {"will": {**self.will, "WillDelayInterval": 1}, "connect": {"SessionExpiryInterval": 100}}
        client = PahoClient(self, "late", **options).connect()
        start = time.monotonic()
        client.break_connection()
        self.assertEqual([m.short() for m in self.watcher.take(1)], [("will", 1, False, b"gone")])
        self.assertGreaterEqual(time.monotonic() - start, 1)

    @unlike_mosquitto("waits for the delay")
    def test_will_delay_ends_with_the_session(self):
        # The session has no expiry interval, so it ends with the connection, and the will does not wait for its delay.
        PahoClient(self, "late", will={**self.will, "WillDelayInterval": 10_000}).connect().break_connection()
        self.assertEqual([m.short() for m in self.watcher.take(1)], [("will", 1, False, b"gone")])

    def test_no_will_when_the_client_is_back_before_the_delay(self):
        options = {"will": {**self.will, "WillDelayInterval": 5}, "connect": {"SessionExpiryInterval": 100}}
        client = PahoClient(self, "back", clean=False, **options).connect()
        client.break_connection()
        client.connect()
        # Another will, later and with the same delay, is the clock.
        clock_will = {"topic": "clock", "WillDelayInterval": 5}
        PahoClient(self, "clock", will=clock_will, connect={"SessionExpiryInterval": 100}).connect().break_connection()
        self.assertEqual(self.watcher.until("clock"), [])

    def test_keep_alive(self):
        proxy = self.start_proxy()
        for version in (V311, V5):
            for seconds in (2, 3):
                with self.subTest(version=version, seconds=seconds):
                    self.keep_alive_ends(proxy, version, seconds)
        if BROKER != "mosquitto":  # 2.0.11 closes without a word.
            self.assertEqual(disconnect_codes(proxy), [KEEP_ALIVE_TIMEOUT] * 2)

    def keep_alive_ends(self, proxy, version, seconds):
        self.watcher.forget_messages()
        said = len(disconnect_codes(proxy))
        client = PahoClient(self, "silent", version, where=proxy, keep_alive=seconds, will=self.will).connect()
        before = time.monotonic()
        client.publish("will/before", b"", 1)
        self.watcher.take(1)
        proxy.stall(UP)
        self.watcher.take(2, 1.5 * seconds + limits.EVENT_SECONDS)
        self.assertGreaterEqual(time.monotonic() - before, 1.5 * seconds)  # The last packet came to the broker after that.
        if version == V5 and BROKER != "mosquitto":
            proxy.wait_packets(DOWN, packets.DISCONNECT, said + 1)  # Before Paho may notice, which would end the connection.
        proxy.resume()
        client.wait_disconnected()

    def test_pings_keep_the_connection(self):
        client = PahoClient(self, "pinging", keep_alive=4, will=self.will).connect()
        # The clock is a will that comes 13 seconds after its client has gone, more than twice 1.5 times 4 seconds.
        clock_will = {"topic": "clock", "WillDelayInterval": 13}
        PahoClient(self, "clock", will=clock_will, connect={"SessionExpiryInterval": 100}).connect().break_connection()
        self.assertEqual(self.watcher.until("clock"), [])
        self.assertEqual(client.disconnects, [])

    def test_will_is_retained_and_has_its_properties(self):
        values = {"ContentType": "text/plain", "UserProperty": [("a", "1"), ("b", "2"), ("a", "1")]}
        will = {**self.will, "retain": True, "MessageExpiryInterval": 100, **values}
        PahoClient(self, "dying", will=will).connect().break_connection()
        self.watcher.take(1)
        late = PahoClient(self, "late").connect()
        late.subscribe("will", 1)
        (message,) = late.take(1)
        self.assertEqual(message.short(), ("will", 1, True, b"gone"))
        self.assertEqual(message.properties["ContentType"], "text/plain")
        self.assertEqual(message.properties["UserProperty"], values["UserProperty"])
        self.assertIn(message.properties["MessageExpiryInterval"], range(40, 101))


class ReasonCodeTest(BrokerCase):
    def test_suback(self):
        client = PahoClient(self).connect()
        self.assertEqual([client.subscribe(f"q/{qos}", qos) for qos in (0, 1, 2)], [0, 1, 2])

    def test_unsuback(self):
        client = PahoClient(self).connect()
        client.subscribe("here", 1)
        self.assertEqual(client.unsubscribe("here"), [SUCCESS])
        self.assertEqual(client.unsubscribe("here"), [NO_SUBSCRIPTION_EXISTED])
        self.assertEqual(client.unsubscribe(["a", "b"]), [NO_SUBSCRIPTION_EXISTED] * 2)

    def test_no_matching_subscribers(self):
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy).connect()
        client.publish("nobody", b"x", 1)
        client.publish("nobody", b"x", 2)
        PahoClient(self).connect().subscribe("somebody", 0)
        client.publish("somebody", b"x", 1)
        client.publish("somebody", b"x", 2)
        self.assertEqual(self.codes(proxy, packets.PUBACK), [NO_MATCHING_SUBSCRIBERS, SUCCESS])
        if BROKER != "mosquitto":  # 2.0.11 looks for subscribers only after PUBREC.
            self.assertEqual(self.codes(proxy, packets.PUBREC), [NO_MATCHING_SUBSCRIBERS, SUCCESS])

    @staticmethod
    def codes(proxy, kind):
        return [packet.body[2] if len(packet.body) > 2 else SUCCESS for packet in proxy.packets(DOWN, kind)]

    def test_wildcard_in_a_topic_name_ends_the_connection(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                proxy = self.start_proxy()
                client = PahoClient(self, version=version, where=proxy).connect()
                client.paho._topic_wildcard_len_check = lambda topic: 0  # Paho would refuse by itself.
                client.start_publishing("a/#", b"x", 1)
                client.wait_disconnected()
                if version == V5 and BROKER != "mosquitto":  # 2.0.11 calls it a malformed packet.
                    self.assertEqual(disconnect_codes(proxy), [0x90])


class FlowControlTest(BrokerCase):
    def test_receive_maximum_of_the_client(self):
        for qos in (1, 2):
            with self.subTest(qos=qos):
                self.sends_no_more_than_allowed(qos)

    def sends_no_more_than_allowed(self, qos):
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy, connect={"ReceiveMaximum": 3}).connect()
        client.subscribe("r/#", 2)
        # QoS 0 is not counted, so that a message of QoS 0 shows that the broker sends no more of the others.
        client.subscribe("marker", 0)
        proxy.hold(UP)
        sender = PahoClient(self).connect()
        for number in range(10):
            sender.publish(f"r/{number}", b"%d" % number, qos)
        sender.publish("marker", b"", 1)
        proxy.wait_for(lambda: any(p.topic == "marker" for p in proxy.packets(DOWN, packets.PUBLISH)), what="marker")
        self.assertEqual([p.topic for p in proxy.packets(DOWN, packets.PUBLISH)], ["r/0", "r/1", "r/2", "marker"])
        proxy.resume()
        messages = [m for m in client.take(11) if m.topic != "marker"]
        self.assertEqual([m.payload for m in messages], [b"%d" % number for number in range(10)])
        self.assertTrue(all(m.qos == qos and not m.dup for m in messages))

    def test_packets_above_the_clients_maximum_are_not_sent(self):
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy, connect={"MaximumPacketSize": 200}).connect()
        client.subscribe("m", 2)
        sender = PahoClient(self).connect()
        for qos in (0, 1, 2):
            sender.publish("m", b"x" * 300, qos)
            sender.publish("m", b"small", qos)
        self.assertEqual([m.short() for m in client.take(3)], [("m", qos, False, b"small") for qos in (0, 1, 2)])
        self.assertTrue(all(len(p.body) <= 200 for p in proxy.packets(DOWN)))

    @unlike_mosquitto("stops sending")
    def test_quota_is_given_back_after_a_message_too_large(self):
        client = PahoClient(self, connect={"MaximumPacketSize": 200, "ReceiveMaximum": 2}).connect()
        client.subscribe("m", 1)
        sender = PahoClient(self).connect()
        for number in range(10):
            sender.publish("m", b"x" * 300, 1)
            sender.publish("m", b"%d" % number, 1)
        self.assertEqual([m.payload for m in client.take(10)], [b"%d" % number for number in range(10)])

    def test_topic_alias_of_the_client(self):
        client = PahoClient(self).connect()
        self.assertGreaterEqual(client.connack()["TopicAliasMaximum"], 2)
        client.subscribe("long/#", 1)
        client.publish("long/topic/1", b"a", 1, TopicAlias=1)
        client.publish("long/topic/2", b"b", 1, TopicAlias=2)
        client.publish("", b"c", 1, TopicAlias=1)
        client.publish("", b"d", 1, TopicAlias=2)
        client.publish("long/topic/3", b"e", 1, TopicAlias=1)
        client.publish("", b"f", 1, TopicAlias=1)
        received = [(m.topic, m.payload) for m in client.take(6)]
        numbers = (1, 2, 1, 2, 3, 3)
        self.assertEqual(received, [(f"long/topic/{n}", p.encode()) for n, p in zip(numbers, "abcdef")])

    def test_topic_alias_out_of_range(self):
        for alias in ("above", "unknown"):
            with self.subTest(alias=alias):
                proxy = self.start_proxy()
                client = PahoClient(self, where=proxy).connect()
                maximum = client.connack()["TopicAliasMaximum"]
                topic, number = ("t", maximum + 1) if alias == "above" else ("", 1)
                client.start_publishing(topic, b"x", 1, TopicAlias=number)
                client.wait_disconnected()
                expected = TOPIC_ALIAS_INVALID if alias == "above" else 0x82
                self.assertIn(disconnect_codes(proxy), [[expected], [TOPIC_ALIAS_INVALID]])

    @unlike_mosquitto("makes no aliases")
    def test_topic_alias_of_the_broker(self):
        client = PahoClient(self, connect={"TopicAliasMaximum": 2}).connect()
        client.subscribe("long/#", 1)
        expected = []
        for number in range(12):
            topic = f"long/topic/{number % 3}" if number < 6 else "long/topic/1"
            client.publish(topic, b"%d" % number, 1)
            expected.append((topic, b"%d" % number))
        # Paho 1.6.1 shows aliases without resolving them.
        names, resolved, saved = {}, [], 0
        for message in client.take(12):
            alias = message.properties.get("TopicAlias")
            self.assertIn(alias, (None, 1, 2))
            saved += message.topic == ""
            topic = message.topic or names[alias]
            if alias is not None:
                names[alias] = topic
            resolved.append((topic, message.payload))
        self.assertEqual(resolved, expected)
        self.assertGreaterEqual(saved, 5)

    def test_no_alias_for_a_client_that_wants_none(self):
        client = PahoClient(self).connect()
        client.subscribe("t", 1)
        for number in range(5):
            client.publish("t", b"%d" % number, 1, TopicAlias=1)
        self.assertTrue(all(m.topic == "t" and "TopicAlias" not in m.properties for m in client.take(5)))


class ServerLimitsTest(BrokerCase):
    server_options = {
        "limits_": {"receive_maximum": 5, "packet_size_max": 2000, "keep_alive_max_seconds": 30}
    }

    def test_connack_tells_the_limits(self):
        connack = PahoClient(self, keep_alive=60).connect().connack()
        self.assertEqual(connack["ReceiveMaximum"], 5)
        self.assertEqual(connack["MaximumPacketSize"], 2000)
        self.assertEqual(connack["ServerKeepAlive"], 30)

    def test_own_keep_alive_within_the_limit_stays(self):
        self.assertNotIn("ServerKeepAlive", PahoClient(self, keep_alive=20).connect().connack())

    @unlike_mosquitto("answers with 0x97 and then resets the connection")
    def test_receive_maximum_of_the_server(self):
        # The client's PUBRELs never come because the broker's PUBRECs do not reach it: all its messages stay in flight.
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy).connect()
        proxy.hold(DOWN)
        for number in range(6):
            client.start_publishing("t", b"%d" % number, 2)
        proxy.wait_packets(DOWN, packets.DISCONNECT, 1)
        self.assertEqual(disconnect_codes(proxy), [RECEIVE_MAXIMUM_EXCEEDED])
        proxy.resume()
        client.wait_disconnected()

    def test_exactly_the_receive_maximum_is_allowed(self):
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy).connect()
        client.subscribe("t", 2)
        proxy.hold(DOWN)
        for number in range(5):
            client.start_publishing("t", b"%d" % number, 2)
        proxy.wait_packets(DOWN, packets.PUBREC, 5)
        proxy.resume()
        self.assertEqual([m.payload for m in client.take(5)], [b"%d" % number for number in range(5)])

    def test_packet_too_large(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                proxy = self.start_proxy()
                client = PahoClient(self, version=version, where=proxy).connect()
                client.start_publishing("t", b"x" * 3000, 1)
                client.wait_disconnected()
                self.assertEqual(disconnect_codes(proxy), [PACKET_TOO_LARGE] if version == V5 else [])


class SubscriptionTest(BrokerCase):
    def test_subscription_identifier(self):
        client = PahoClient(self).connect()
        client.subscribe("a/1", 1, SubscriptionIdentifier=1)
        client.subscribe("a/2", 1, SubscriptionIdentifier=268_435_455)
        client.subscribe("a/3", 1)
        for number in (1, 2, 3):
            client.publish(f"a/{number}", b"", 1)
        identifiers = [m.properties.get("SubscriptionIdentifier") for m in client.take(3)]
        self.assertEqual(identifiers, [[1], [268_435_455], None])

    def test_identifier_is_replaced_with_the_subscription(self):
        client = PahoClient(self).connect()
        client.subscribe("a", 1, SubscriptionIdentifier=1)
        client.subscribe("a", 1, SubscriptionIdentifier=2)
        client.publish("a", b"1", 1)
        client.subscribe("a", 1)
        client.publish("a", b"2", 1)
        identifiers = [m.properties.get("SubscriptionIdentifier") for m in client.take(2)]
        self.assertEqual(identifiers, [[2], None])

    @unlike_mosquitto("sends one copy for each subscription")
    def test_overlapping_subscriptions_give_one_copy_with_all_identifiers(self):
        client = PahoClient(self).connect()
        client.subscribe("a/#", 0, SubscriptionIdentifier=1)
        client.subscribe("a/+", 2, SubscriptionIdentifier=2)
        client.subscribe("a/b", 1, SubscriptionIdentifier=3)
        client.publish("a/b", b"x", 2)
        client.publish("a/b", b"end", 2)
        first, second = client.take(2)
        self.assertEqual((first.payload, first.qos), (b"x", 2))
        self.assertEqual((second.payload, second.qos), (b"end", 2))
        self.assertCountEqual(first.properties["SubscriptionIdentifier"], [1, 2, 3])

    def test_retain_handling(self):
        for handling, again, expected in ((0, True, 2), (1, True, 1), (2, True, 0)):
            with self.subTest(handling=handling):
                client = PahoClient(self).connect()
                client.publish(f"h/{handling}", b"kept", 1, retain=True)
                client.subscribe(f"h/{handling}", 1, retain_handling=handling)
                client.subscribe(f"h/{handling}", 1, retain_handling=handling)
                client.subscribe("marker", 1)
                client.publish("marker", b"", 1)
                got = [m.short() for m in client.until("marker")]
                self.assertEqual(got, [(f"h/{handling}", 1, True, b"kept")] * expected)

    def test_no_local(self):
        client, other = PahoClient(self).connect(), PahoClient(self).connect()
        client.subscribe("chat", 1, no_local=True)
        client.publish("chat", b"own", 1)
        other.publish("chat", b"other's", 1)
        self.assertEqual([m.payload for m in client.take(1)], [b"other's"])

    def test_retain_as_published(self):
        plain, keeping = PahoClient(self).connect(), PahoClient(self).connect()
        plain.subscribe("r", 1)
        keeping.subscribe("r", 1, retain_as_published=True)
        for retain in (True, False):
            plain.publish("r", b"x", 1, retain=retain)
        self.assertEqual([m.retain for m in plain.take(2)], [False, False])
        self.assertEqual([m.retain for m in keeping.take(2)], [True, False])

    @unlike_mosquitto("accepts it")
    def test_shared_subscription_with_no_local_is_an_error(self):
        proxy = self.start_proxy()
        client = PahoClient(self, where=proxy).connect()
        client.paho.subscribe("$share/g/t", options=SubscribeOptions(1, noLocal=True))
        client.wait_disconnected()
        self.assertEqual(disconnect_codes(proxy), [0x82])

    def test_properties_arrive_unchanged(self):
        values = {
            "PayloadFormatIndicator": 1,
            "ContentType": "text/plain; charset=utf-8",
            "ResponseTopic": "answers/é",
            "CorrelationData": b"\x00\xff\x01",
            "UserProperty": [("b", "2"), ("a", "1"), ("b", "2"), ("", "")],
        }
        for qos in (0, 1, 2):
            with self.subTest(qos=qos):
                client = PahoClient(self).connect()
                client.subscribe("p", 2)
                client.publish("p", "é", qos, **values)
                (message,) = client.take(1)
                self.assertEqual((message.qos, message.payload), (qos, "é".encode()))
                expected = dict(values, CorrelationData=values["CorrelationData"].hex())
                self.assertEqual({**message.properties}, expected)

    def test_large_messages_both_ways(self):
        payload = bytes(range(256)) * (4 << 12)  # 4 MiB
        for version in (V311, V5):
            client = PahoClient(self, version=version).connect()
            client.subscribe("big", 2)
            for qos in (0, 1, 2):
                client.start_publishing("big", payload, qos)
            messages = client.take(3, limits.BULK_SECONDS)
            self.assertTrue(all(m.payload == payload for m in messages))
            self.assertCountEqual([m.qos for m in messages], [0, 1, 2])
            client.disconnect()


if __name__ == "__main__":
    unittest.main()
