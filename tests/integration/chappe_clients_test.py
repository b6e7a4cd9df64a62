"""Chappe's own commands, `chappe pub`, `chappe sub` and `chappe request`: what mosquitto_pub, mosquitto_sub and mosquitto_rr are put
through, against Chappe and against Debian's mosquitto."""

import json
import unittest

import mosquitto_clients_test as mosquitto
from support.case import BrokerCase
from support.mosquitto_tools import Message, Subscriber, publish, tcp, tool_command
from support.process import Process
from support.server import Mosquitto


class Commands:
    tools = "chappe"


class DeliveryTest(Commands, mosquitto.DeliveryTest):
    pass


class FilterTest(Commands, mosquitto.FilterTest):
    refusal = 2  # The command line is wrong; mosquitto_sub knows only failure.


class RetainTest(Commands, mosquitto.RetainTest):
    pass


class WillTest(Commands, mosquitto.WillTest):
    test_will_at_disconnect_that_asks_for_it = None  # chappe sub leaves with an ordinary DISCONNECT.


class PersistentSessionTest(Commands, mosquitto.PersistentSessionTest):
    pass


class PropertyTest(Commands, mosquitto.PropertyTest):
    pass


class SharedSubscriptionTest(Commands, mosquitto.SharedSubscriptionTest):
    pass


class RequestResponseTest(Commands, mosquitto.RequestResponseTest):
    pass


class AgainstMosquittoTest(Commands, unittest.TestCase):
    """The same commands with Debian's mosquitto as the broker."""

    def setUp(self):
        self.server = Mosquitto().start()
        self.addCleanup(self.server.close)

    def test_every_qos_and_version(self):
        for version in ("31", "311", "5"):
            for qos in ("0", "1", "2"):
                with self.subTest(version=version, qos=qos):
                    subscriber = Subscriber(self, "-V", version, "-q", qos, "-C", "2", topics=["t/#"])
                    publish(self, "-V", version, "-q", qos, "-t", "t/1", "-m", "one")
                    publish(self, "-V", version, "-q", qos, "-t", "t/2", "-n")
                    self.assertEqual(subscriber.finish(), 0)
                    self.assertEqual(
                        subscriber.received(), [Message("t/1", int(qos), False, b"one"), Message("t/2", int(qos), False, b"")]
                    )

    def test_thousand_lines(self):
        lines = [b"%d" % number for number in range(1000)]
        subscriber = Subscriber(self, "-q", "1", "-C", "1000", topics=["lines"])
        publish(self, "-q", "1", "-t", "lines", "-l", stdin=b"\n".join(lines) + b"\n")
        self.assertEqual(subscriber.finish(), 0)
        self.assertEqual([message.payload for message in subscriber.received()], lines)

    def test_request(self):
        service = Subscriber(self, "-q", "1", "-C", "1", topics=["service"])
        request = Process([*tool_command(self, "rr"), *tcp(self.server), "-q", "1", "-t", "service", "-m", "question"])
        self.addCleanup(request.kill)
        (message,) = service.messages(1)
        self.assertEqual(message.payload, b"question")
        publish(self, "-q", "1", "-t", message.response_topic, "-m", "answer")
        self.assertEqual(request.finish(), 0)
        self.assertEqual(request.stdout, [b"answer"])


class JsonTest(Commands, BrokerCase):
    def test_message_as_json(self):
        subscriber = Process([*tool_command(self, "sub"), *tcp(self.server), "-d", "-q", "1", "-C", "1", "-t", "t", "--json"])
        self.addCleanup(subscriber.kill)
        subscriber.wait_line(lambda line: b"subscribed to " in line, subscriber.stderr, what="SUBACK")
        properties = ("-D", "publish", "content-type", "text/plain", "-D", "publish", "user-property", "k", "v")
        publish(self, "-q", "1", "-t", "t", "-m", 'say "é"', *properties)
        self.assertEqual(subscriber.finish(), 0)
        (line,) = subscriber.stdout
        message = json.loads(line)
        self.assertEqual((message["topic"], message["qos"], message["payload"]), ("t", 1, 'say "é"'))

    def test_report_as_json(self):
        report = publish(self, "-q", "1", "-t", "t", "-l", "--json", stdin=b"1\n2\n3\n")
        (line,) = report.stdout
        self.assertEqual(json.loads(line), {"published": 3, "acknowledged": 3, "refused": 0, "unfinished": 0})


if __name__ == "__main__":
    unittest.main()
