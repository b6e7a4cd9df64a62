"""Values below $SYS, side by side: after the same events Chappe's have changed as Debian's mosquitto's have."""

import unittest

from support.paho_client import V5, PahoClient
from support.server import Mosquitto, Server, unlike_mosquitto
from support.sys_values import SysValues

COUNTS = [
    "clients/connected", "clients/disconnected", "clients/total", "clients/active", "clients/inactive",
    "subscriptions/count", "shared_subscriptions/count", "retained messages/count", "messages/stored", "store/messages/count",
    "publish/bytes/received",
]  # Not clients/maximum and publish/messages/received: 2.0.11 counts sessions in one, and leaves RETAIN out of the other.
BYTES = "store/messages/bytes"  # Those of $SYS itself are among them, which differ.
PAYLOAD = bytes(1000)
LONG_TOPIC = "/".join(["long"] * 50)


@unlike_mosquitto("is what Chappe is compared with")
class SysValuesTest(unittest.TestCase):
    maxDiff = None

    SETTINGS = {"sys_interval_seconds": 1}

    def changes(self, where):
        """What the events of this test change at a broker."""
        watcher = PahoClient(self, "watcher", where=where).connect()
        watcher.subscribe("$SYS/#")
        watcher.subscribe("now/#")
        before = self.values(watcher, "now/before")
        self.let_things_happen(where)
        after = self.values(watcher, "now/after")
        return {name: after.get(name, 0) - before.get(name, 0) for name in [*COUNTS, BYTES]}

    @staticmethod
    def values(watcher, marker):
        """Those of now, which the watcher marks by a message to itself: earlier rounds may still be on their way."""
        values = SysValues(lambda: watcher.take(0), watcher.wait)
        watcher.publish(marker)
        watcher.until(marker)
        values.wait_round(since=values.rounds())
        return {name: int(value) for name, value in values.all().items() if name in COUNTS or name == BYTES}

    def let_things_happen(self, where):
        def client(name, *filters):
            made = PahoClient(self, name, V5, where, clean=False, connect={"SessionExpiryInterval": 3600}).connect()
            for topic_filter in filters:
                made.subscribe(topic_filter, 1)
            return made

        client("a", "x/1", "x/2", "x/2", "$share/g/s")
        client("b", "x/1", "$share/g/s", "$share/h/s")
        client("c", "x/3").unsubscribe("x/3")
        client("away", "waiting/#").disconnect()
        publisher = client("publisher")
        for number in range(5):
            publisher.publish(f"waiting/{LONG_TOPIC}/{number}", PAYLOAD, 1)
        for number in range(20):
            publisher.publish(f"kept/{LONG_TOPIC}/{number}", PAYLOAD, 1, retain=True)
        for number in range(4):
            publisher.publish(f"kept/{LONG_TOPIC}/{number}", b"", 1, retain=True)

    def test_change_as_those_of_mosquitto(self):
        ours, theirs = Server(limits_=self.SETTINGS), Mosquitto(limits_=self.SETTINGS)
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        chappe, mosquitto = self.changes(ours), self.changes(theirs.start())
        self.assertAlmostEqual(chappe.pop(BYTES), (5 + 16) * len(PAYLOAD), delta=500)
        self.assertAlmostEqual(mosquitto.pop(BYTES), (5 + 16) * len(PAYLOAD), delta=500)
        self.assertEqual(chappe, mosquitto)


if __name__ == "__main__":
    unittest.main()
