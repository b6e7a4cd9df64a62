"""Subscribers that do not keep up, or are away for too long: nobody else suffers, and every message is delivered or counted."""

import unittest

from support import limits
from support.case import BrokerCase
from support.mosquitto_tools import publish
from support.operator_commands import wait_drops
from support.paho_client import PahoClient
from support.proxy import DOWN
from support.server import unlike_mosquitto


@unlike_mosquitto("has no such choices")
class WhenFullTest(BrokerCase):
    tools = "chappe"

    def setUp(self):
        self.server = None  # Each test has a policy of its own.

    def start_with(self, when_full):
        self.server = self.start_server(limits_={"queue_messages_max": 2}, flags=("--set", f"policy.when_full={when_full}"))

    def client(self):
        return PahoClient(self, "absent", clean=False, connect={"SessionExpiryInterval": 60}).connect()

    def fill(self, drops, **expected):
        """Publishes 0 to 4 to a client that is away, and connects it again when at least so many have been dropped."""
        client = self.client()
        client.subscribe("t", 1)
        client.disconnect()
        report = publish(self, "-q", "1", "-t", "t", "-l", stdin=b"0\n1\n2\n3\n4\n", **expected)
        wait_drops(self, self.server.broker.data, drops)
        return self.client(), b"\n".join(report.stderr).decode()

    def received(self, client):
        publish(self, "-q", "1", "-t", "t", "-m", "end")
        client.wait(lambda: any(message.payload == b"end" for message in client.messages), "end")
        return [message.payload for message in client.messages]

    def test_drop_oldest(self):
        self.start_with("drop_oldest")
        self.assertEqual(self.received(self.fill(drops=3)[0]), [b"3", b"4", b"end"])

    def test_drop_newest(self):
        self.start_with("drop_newest")
        self.assertEqual(self.received(self.fill(drops=3)[0]), [b"0", b"1", b"end"])

    def test_reject_tells_the_publisher(self):
        self.start_with("reject")
        client, said = self.fill(drops=3, expect=5)
        self.assertIn("0x97", said)
        self.assertEqual(self.received(client), [b"0", b"1", b"end"])

    def test_end_session(self):
        self.start_with("end_session")
        client, _ = self.fill(drops=1)
        self.assertFalse(client.connack()["session_present"])


@unlike_mosquitto("counts otherwise")
class SlowSubscriberTest(BrokerCase):
    server_options = {"limits_": {"unsent_bytes_max": 64 * 1024, "sys_interval_seconds": 1}}
    COUNT = 400
    PAYLOAD = bytes(64 * 1024)  # Together more than the system keeps for a connection.

    def test_others_get_all_and_what_it_misses_is_counted(self):
        proxy = self.start_proxy()
        slow = PahoClient(self, "slow", where=proxy, keep_alive=0).connect()
        quick = PahoClient(self, "quick").connect()
        for client in (slow, quick):
            client.subscribe("bulk")
            client.subscribe("end", 1)
        proxy.stall(DOWN)
        publisher = PahoClient(self, "publisher").connect()
        for _ in range(self.COUNT):
            publisher.publish("bulk", self.PAYLOAD)
            quick.take(1)  # Keeps up, since nobody publishes faster than it reads.
            quick.forget_messages()
        publisher.publish("end", b"", 1)
        proxy.resume()
        slow.wait(lambda: any(message.topic == "end" for message in slow.messages), "end", limits.BULK_SECONDS)
        arrived = sum(message.topic == "bulk" for message in slow.messages)
        self.assertLess(arrived, self.COUNT)
        quick.subscribe("$SYS/broker/chappe/drops/unsent_full")
        missed = b"%d" % (self.COUNT - arrived)
        quick.wait(lambda: any(message.payload == missed for message in quick.messages), f"{missed} drops")
        self.assertEqual(quick.until("end"), [])


if __name__ == "__main__":
    unittest.main()
