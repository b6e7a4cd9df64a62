"""A Debian mosquitto that bridges to the broker under test, in both directions, over restarts and cut connections."""

import unittest

from support import limits, packets
from support.case import BrokerCase
from support.paho_client import V311, PahoClient
from support.proxy import DOWN, UP, cutting_plan, new_seed
from support.server import Mosquitto

NAME = "bridge"
STATE = f"$SYS/broker/connection/{NAME}/state"
NO_SESSION = "the bridge of 2.0.11 sets no session expiry in 5.0: nothing is kept for it while it is away"


class BridgeScenarios:
    """The peer has the bridge: out/# goes from it to the broker under test, in/# comes from there, both/# goes both ways."""

    version = None  # Mosquitto's name of the protocol version.
    keeps_its_session = True

    def setUp(self):
        super().setUp()
        self.proxy = self.start_proxy()
        self.peer = self.start_peer()
        self.wait_for_link(1)

    def start_peer(self, proxy=None):
        bridge = [
            f"connection {NAME}",
            f"address 127.0.0.1:{(proxy or self.proxy).port}",
            f"remote_clientid {NAME}",
            f"bridge_protocol_version {self.version}",
            "cleansession false",
            "restart_timeout 1",
            "topic out/# out 2",
            "topic in/# in 2",
            "topic both/# both 2",
            "topic value both 1 near/ far/",
        ]
        peer = Mosquitto(persistent=True, extra=bridge)
        self.addCleanup(peer.close)
        return peer.start()

    def wait_for_link(self, count, proxy=None):
        """Until the bridge has connected and subscribed for the count-th time; it asks for its topics one by one."""
        subscriptions = 3 * count
        proxy = proxy or self.proxy
        proxy.wait_for(
            lambda: len(proxy.packets(DOWN, packets.SUBACK)) >= subscriptions,
            seconds=limits.START_SECONDS,
            what=f"link number {count}",
        )

    def client(self, where, *filters, name=""):
        client = PahoClient(self, name, V311, where).connect()
        for topic_filter in filters:
            self.assertEqual(client.subscribe(topic_filter, 2), 2)
        return client

    def check(self, receiver, expected):
        """Exactly these messages have come, each QoS in its order."""
        messages = [m.short() for m in receiver.take(len(expected))]
        for qos in (0, 1, 2):
            self.assertEqual([m for m in messages if m[1] == qos], [m for m in expected if m[1] == qos])
        self.assertEqual(len(messages), len(expected))

    def check_numbers(self, receiver, topic, count):
        """Of numbers published at QoS 1 (even) and 2 (odd) and followed by a message on end, over a broken connection."""
        receiver.wait(lambda: any(m.topic.endswith("/end") for m in receiver.messages), "end", limits.BULK_SECONDS)
        numbers = {qos: [int(m.payload) for m in receiver.messages if m.qos == qos and m.topic == topic] for qos in (1, 2)}
        self.assertEqual(numbers[2], list(range(1, count, 2)))  # Exactly once, and in order.
        self.assertEqual(list(dict.fromkeys(numbers[1])), list(range(0, count, 2)))  # At least once, first times in order.

    def test_out(self):
        receiver, sender = self.client(self.server, "out/#"), self.client(self.peer)
        self.pass_messages(sender, receiver, "out/a")

    def test_in(self):
        receiver, sender = self.client(self.peer, "in/#"), self.client(self.server)
        self.pass_messages(sender, receiver, "in/a")

    def pass_messages(self, sender, receiver, topic):
        payloads = [b"", b"\x00\xff", b"x" * 100_000]
        expected = []
        for qos in (0, 1, 2):
            for payload in payloads:
                sender.publish(topic, payload, qos)
                expected.append((topic, qos, False, payload))
        self.check(receiver, expected)

    def test_both_ways_without_echo(self):
        near, far = self.client(self.peer, "both/#"), self.client(self.server, "both/#")
        near.publish("both/1", b"from near", 2)
        far.take(1)
        far.publish("both/2", b"from far", 2)
        near.take(2)
        far.publish("both/3", b"end", 2)
        near.take(3)
        expected = [("both/1", 2, False, b"from near"), ("both/2", 2, False, b"from far"), ("both/3", 2, False, b"end")]
        self.assertEqual([m.short() for m in near.messages], expected)
        self.assertEqual([m.short() for m in far.take(3)], expected)

    def test_topics_are_mapped(self):
        near, far = self.client(self.peer, "near/value"), self.client(self.server, "far/value")
        near.publish("near/value", b"1", 1)
        self.assertEqual([m.short() for m in far.take(1)], [("far/value", 1, False, b"1")])
        far.publish("far/value", b"2", 1)
        self.assertEqual([m.payload for m in near.take(2)], [b"1", b"2"])

    def test_retained_messages_stay_retained(self):
        self.client(self.peer).publish("out/kept", b"near", 1, retain=True)
        self.client(self.server).publish("in/kept", b"far", 1, retain=True)
        # A live message behind them shows that they have crossed.
        for where, other, topic in ((self.server, self.peer, "out/live"), (self.peer, self.server, "in/live")):
            watcher = self.client(where, topic)
            self.client(other).publish(topic, b"", 2)
            watcher.take(1)
        late = self.client(self.server, "out/kept")
        self.assertEqual([m.short() for m in late.take(1)], [("out/kept", 1, True, b"near")])
        late = self.client(self.peer, "in/kept")
        self.assertEqual([m.short() for m in late.take(1)], [("in/kept", 1, True, b"far")])

    def test_state_is_told(self):
        # Mosquitto's dashboards watch this topic: 1 while the bridge is there, and 0, by its will, when it is not.
        watcher = self.client(self.server)
        watcher.subscribe(STATE, 1)
        self.assertEqual([m.short() for m in watcher.take(1)], [(STATE, 1, True, b"1")])
        self.peer.kill()
        self.assertEqual([m.payload for m in watcher.take(2)], [b"1", b"0"])

    def test_many_messages_both_ways_at_once(self):
        near, far = self.client(self.peer, "in/#"), self.client(self.server, "out/#")
        for number in range(1000):
            near.start_publishing("out/x", b"%d" % number, 1 + number % 2)
            far.start_publishing("in/x", b"%d" % number, 1 + number % 2)
        for receiver, topic in ((near, "in/x"), (far, "out/x")):
            receiver.take(1000, limits.BULK_SECONDS)
            self.check(receiver, [(topic, 1 + number % 2, False, b"%d" % number) for number in range(1000)])

    def test_restart_of_the_peer(self):
        if not self.keeps_its_session:
            self.skipTest(NO_SESSION)
        far = self.client(self.server)
        self.client(self.peer, name="near")
        self.peer.stop()
        for number in range(60):
            far.publish("in/x", b"%d" % number, 1 + number % 2)
        far.publish("in/end", b"", 2)
        # The link waits until its messages have somebody to go to.
        self.proxy.refuse()
        self.peer.start()
        near = self.client(self.peer, "in/#")
        self.proxy.refuse(False)
        self.check_numbers(near, "in/x", 60)

    def test_restart_of_the_broker(self):
        near = self.client(self.peer)
        self.server.stop()
        for number in range(60):
            near.publish("out/x", b"%d" % number, 1 + number % 2)
        near.publish("out/end", b"", 2)
        self.proxy.refuse()
        self.server.start()
        far = self.client(self.server, "out/#")
        self.proxy.refuse(False)
        self.check_numbers(far, "out/x", 60)
        self.wait_for_link(2)
        back = self.client(self.peer, "in/#")
        far.publish("in/x", b"live", 2)
        self.assertEqual([m.payload for m in back.take(1)], [b"live"])

    def test_cut_connections_lose_nothing(self):
        if not self.keeps_its_session:
            self.skipTest(NO_SESSION)
        seed = new_seed(self)
        cuts = 3
        self.peer.stop()
        plan = cutting_plan(seed, cuts, least=500, most=9000)
        proxy = self.start_proxy(cut_after=plan)
        self.peer = self.start_peer(proxy)
        # What mosquitto is given while it connects for the first time it may send after what comes later.
        self.wait_for_link(1, proxy)
        near, far = self.client(self.peer, "in/#"), self.client(self.server, "out/#")
        sent = 0
        while proxy.cuts < cuts:
            near.publish("out/x", b"%d" % sent, 1 + sent % 2)
            far.publish("in/x", b"%d" % sent, 1 + sent % 2)
            sent += 1
            # The bridge stays away for some seconds after each cut; some messages wait for it, but not thousands.
            if sent % 40 == 0:
                proxy.wait_for(lambda: proxy.accepted > proxy.cuts, limits.START_SECONDS, "next link")
        for client, topic in ((near, "out"), (far, "in")):
            client.publish(f"{topic}/end", b"", 2)
        self.check_numbers(near, "in/x", sent)
        self.check_numbers(far, "out/x", sent)


class Bridge311Test(BridgeScenarios, BrokerCase):
    version = "mqttv311"

    def test_marker_of_the_bridge(self):
        # try_private, on by default, sets the high bit of the protocol version.
        connect = self.proxy.packets(UP, packets.CONNECT)[0]
        self.assertEqual(connect.body[6], 0x80 | 4)


class Bridge5Test(BridgeScenarios, BrokerCase):
    version = "mqttv50"
    keeps_its_session = False


if __name__ == "__main__":
    unittest.main()
