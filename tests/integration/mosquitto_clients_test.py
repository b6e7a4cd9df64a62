"""Debian's mosquitto_pub, mosquitto_sub and mosquitto_rr."""

import os
import re
import unittest

from support import limits
from support.case import BrokerCase, fixture
from support.mosquitto_tools import Message, Subscriber, publish, run, tcp, tool_command
from support.polling import ask_until
from support.process import Process
from support.server import BROKER, unlike_mosquitto
from support.sys_values import SysValues

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")


def until_topic(subscriber, topic="end"):
    """The messages before the one on this topic, which says that nothing more is to come."""
    count = 1
    while (messages := subscriber.messages(count))[-1].topic != topic:
        count = len(messages) + 1
    subscriber.disconnect()
    return messages[:-1]


class DeliveryTest(BrokerCase):
    def test_every_qos_from_every_version_to_every_version(self):
        for version in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(subscriber=version, qos=qos):
                    self.deliver_from_every_version(version, qos)

    def deliver_from_every_version(self, version, qos):
        topic = f"lab/{version}/{qos}"
        subscriber = Subscriber(self, "-V", version, "-q", str(qos), "-C", "9", topics=[topic])
        expected = []
        for sender in VERSIONS:
            for sent_qos in (0, 1, 2):
                payload = f"{sender} {sent_qos}"
                publish(self, "-V", sender, "-q", str(sent_qos), "-t", topic, "-m", payload)
                expected.append(Message(topic, min(qos, sent_qos), False, payload.encode()))
                subscriber.messages(len(expected))  # One of QoS 0 could overtake one of QoS 2, which takes two more packets.
        self.assertEqual(subscriber.finish(), 0)
        self.assertEqual(subscriber.received(), expected)

    def test_empty_payload(self):
        subscriber = Subscriber(self, "-C", "1", topics=["empty"])
        publish(self, "-t", "empty", "-n")
        self.assertEqual(subscriber.messages(1), [Message("empty", 0, False, b"")])

    def test_payload_of_ten_mebibytes(self):
        payload = os.urandom(1 << 20) * 10
        path = os.path.join(self.scratch_folder(), "payload")
        with open(path, "wb") as file:
            file.write(payload)
        for version in ("mqttv311", "mqttv5"):
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    subscriber = Subscriber(self, "-V", version, "-q", str(qos), "-C", "1", topics=["big"])
                    publish(self, "-V", version, "-q", str(qos), "-t", "big", "-f", path, seconds=limits.BULK_SECONDS)
                    self.assertEqual(subscriber.finish(limits.BULK_SECONDS), 0)
                    (message,) = subscriber.received()
                    self.assertEqual((message.topic, message.qos), ("big", qos))
                    self.assertTrue(message.payload == payload, "the payload differs")

    def test_lines_of_standard_input(self):
        lines = [b"first", b"", "deuxième".encode(), b"x" * 5000, b"last"]
        subscriber = Subscriber(self, "-q", "1", "-C", str(len(lines)), topics=["lines"])
        publish(self, "-q", "1", "-t", "lines", "-l", stdin=b"\n".join(lines) + b"\n")
        self.assertEqual(subscriber.finish(), 0)
        self.assertEqual([message.payload for message in subscriber.received()], lines)

    def test_standard_input_as_one_message(self):
        subscriber = Subscriber(self, "-C", "1", topics=["whole"])
        publish(self, "-t", "whole", "-s", stdin=b"two\nlines\n")
        self.assertEqual([message.payload for message in subscriber.messages(1)], [b"two\nlines\n"])

    def test_ten_thousand_messages_in_order(self):
        for version, qos in (("mqttv311", 0), ("mqttv5", 1), ("mqttv311", 2)):
            with self.subTest(version=version, qos=qos):
                self.ten_thousand_in_order(version, qos)

    @unlike_mosquitto("sends more QoS 2 messages than the client's Receive Maximum allows, and the client ends")
    def test_ten_thousand_messages_of_qos_2_within_receive_maximum(self):
        self.ten_thousand_in_order("mqttv5", 2)

    def ten_thousand_in_order(self, version, qos):
        lines = [b"%d" % number for number in range(10_000)]
        options = ("-V", version, "-q", str(qos))
        subscriber = Subscriber(self, *options, "-C", str(len(lines)), topics=[f"many/{qos}"])
        publish(self, *options, "-t", f"many/{qos}", "-l", stdin=b"\n".join(lines) + b"\n", seconds=limits.BULK_SECONDS)
        self.assertEqual(subscriber.finish(limits.BULK_SECONDS), 0)
        self.assertEqual([message.payload for message in subscriber.received()], lines)


class FilterTest(BrokerCase):
    refusal = 1  # The exit code for a filter that is not allowed.
    TOPICS = ["a", "a/b", "a/b/c", "/a", "a/", "b/b", "a//c", "$lab/a"]

    def received_by(self, *filters):
        # None of the filters matches the marker's topic.
        subscriber = Subscriber(self, "-q", "1", topics=[*filters, "the/end/of/all"])
        for topic in [*self.TOPICS, "the/end/of/all"]:
            publish(self, "-q", "1", "-t", topic, "-m", topic)
        messages = until_topic(subscriber, "the/end/of/all")
        self.assertTrue(all(message.payload.decode() == message.topic for message in messages))
        return [message.topic for message in messages]

    def test_wildcards(self):
        # A wildcard at the front matches no topic that begins with "$" [MQTT-4.7.2-1], and "#" also the parent level.
        cases = {
            "a/#": ["a", "a/b", "a/b/c", "a/", "a//c"],
            "+": ["a"],
            "+/+": ["a/b", "/a", "a/", "b/b"],
            "a/+/c": ["a/b/c", "a//c"],
            "+/b": ["a/b", "b/b"],
            "/+": ["/a"],
            "a/+": ["a/b", "a/"],
            "$lab/#": ["$lab/a"],
            "$lab/+": ["$lab/a"],
        }
        for topic_filter, expected in cases.items():
            with self.subTest(topic_filter=topic_filter):
                self.assertEqual(self.received_by(topic_filter), expected)

    def test_hash_matches_all_but_dollar_topics(self):
        subscriber = Subscriber(self, "-q", "1", topics=["#"])
        for topic in [*self.TOPICS, "end"]:
            publish(self, "-q", "1", "-t", topic, "-m", topic)
        self.assertEqual([message.topic for message in until_topic(subscriber)], self.TOPICS[:-1])

    def test_unsubscribed_filter_gives_nothing(self):
        # -U unsubscribes after the subscription of the persistent session below has been restored.
        options = ("-i", "u", "-c", "-q", "1")
        Subscriber(self, *options, topics=["keep", "drop", "end"]).disconnect()
        leaver = Subscriber(self, *options, "-U", "drop", topics=["keep"])
        leaver.wait_unsubscribed()
        leaver.disconnect()
        subscriber = Subscriber(self, *options, topics=["end"])
        for topic in ("drop", "keep", "end"):
            publish(self, "-q", "1", "-t", topic, "-m", topic)
        self.assertEqual([message.topic for message in until_topic(subscriber)], ["keep"])

    def test_filters_that_are_not_allowed(self):
        for topic_filter in ("a/#/b", "a+", "+a/b", "a/b#"):
            with self.subTest(topic_filter=topic_filter):
                run(self, "sub", "-t", topic_filter, "-E", expect=self.refusal)


class RetainTest(BrokerCase):
    def test_retained_message_comes_at_subscribe(self):
        for version in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    topic = f"retained/{version}/{qos}"
                    live = Subscriber(self, topics=[topic])  # At QoS 0 nothing else tells when the broker has a message.
                    for count, payload in enumerate(("old", "new"), 1):
                        publish(self, "-V", version, "-q", str(qos), "-t", topic, "-m", payload, "-r")
                        live.messages(count)
                    subscriber = Subscriber(self, "-V", version, "-q", "2", "-C", "1", topics=[topic])
                    self.assertEqual(subscriber.messages(1), [Message(topic, qos, True, b"new")])

    def test_live_message_has_no_retain_flag(self):
        subscriber = Subscriber(self, "-C", "1", topics=["live"])
        publish(self, "-t", "live", "-m", "x", "-r")
        self.assertEqual(subscriber.messages(1), [Message("live", 0, False, b"x")])

    def test_empty_retained_message_removes(self):
        publish(self, "-q", "1", "-t", "gone/1", "-m", "x", "-r")
        publish(self, "-q", "1", "-t", "gone/2", "-m", "y", "-r")
        live = Subscriber(self, "-R", "-C", "1", topics=["gone/1"])
        publish(self, "-t", "gone/1", "-n", "-r")
        self.assertEqual(live.messages(1), [Message("gone/1", 0, False, b"")])
        subscriber = Subscriber(self, "-C", "1", topics=["gone/#"])
        self.assertEqual(subscriber.messages(1), [Message("gone/2", 0, True, b"y")])
        self.assertEqual(subscriber.finish(), 0)

    def test_many_retained_messages(self):
        for number in range(20):
            publish(self, "-q", "1", "-t", f"many/{number}/state", "-m", str(number), "-r")
        subscriber = Subscriber(self, "-C", "20", topics=["many/+/state"])
        self.assertEqual(subscriber.finish(), 0)
        self.assertCountEqual(
            subscriber.received(), [Message(f"many/{number}/state", 0, True, b"%d" % number) for number in range(20)]
        )

    def test_retained_only_and_remove_retained(self):
        publish(self, "-q", "1", "-t", "old/1", "-m", "x", "-r")
        publish(self, "-q", "1", "-t", "old/2", "-m", "y", "-r")
        only = run(self, "sub", "-t", "old/#", "--retained-only", "-C", "2", "-F", "%t %p")
        self.assertCountEqual(only.stdout, [b"old/1 x", b"old/2 y"])
        live = Subscriber(self, "-R", topics=["old/#"])
        remover = Subscriber(self, "--remove-retained", topics=["old/#"])
        self.assertCountEqual(live.messages(2), [Message(f"old/{number}", 0, False, b"") for number in (1, 2)])
        remover.disconnect()
        publish(self, "-q", "1", "-t", "old/3", "-m", "z", "-r")
        subscriber = Subscriber(self, "-C", "1", topics=["old/#"])
        self.assertEqual(subscriber.messages(1), [Message("old/3", 0, True, b"z")])

    def test_retain_as_published(self):
        kept = Subscriber(self, "-V", "mqttv5", "--retain-as-published", "-C", "1", topics=["kept"])
        publish(self, "-V", "mqttv5", "-t", "kept", "-m", "x", "-r")
        self.assertEqual(kept.messages(1), [Message("kept", 0, True, b"x")])


class WillTest(BrokerCase):
    def will_options(self, version, qos, retain):
        options = ["-V", version, "--will-topic", "will", "--will-payload", "gone", "--will-qos", str(qos)]
        return options + (["--will-retain"] if retain else [])

    def test_will_after_the_connection_breaks(self):
        for version in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    watcher = Subscriber(self, "-q", "2", "-C", "1", topics=["will"])
                    dying = Subscriber(self, *self.will_options(version, qos, retain=False), topics=["x"])
                    dying.kill()
                    self.assertEqual(watcher.messages(1), [Message("will", qos, False, b"gone")])

    def test_retained_will(self):
        live = Subscriber(self, "-C", "1", topics=["will"])
        Subscriber(self, *self.will_options("mqttv311", 1, retain=True), topics=["x"]).kill()
        self.assertEqual(live.messages(1), [Message("will", 0, False, b"gone")])
        later = Subscriber(self, "-q", "1", "-C", "1", topics=["will"])
        self.assertEqual(later.messages(1), [Message("will", 1, True, b"gone")])

    def test_no_will_after_disconnect(self):
        watcher = Subscriber(self, "-C", "1", topics=["will"])
        for version in VERSIONS:
            # -E leaves with an ordinary DISCONNECT; on SIGTERM mosquitto_sub would ask for its will (code 0x04).
            run(self, "sub", *self.will_options(version, 0, retain=False), "-t", "x", "-E")
        publish(self, "-t", "will", "-m", "marker")
        self.assertEqual(watcher.messages(1), [Message("will", 0, False, b"marker")])

    def test_will_at_disconnect_that_asks_for_it(self):
        watcher = Subscriber(self, "-C", "1", topics=["will"])
        Subscriber(self, *self.will_options("mqttv5", 0, retain=False), topics=["x"]).disconnect()
        self.assertEqual(watcher.messages(1), [Message("will", 0, False, b"gone")])

    def test_will_properties(self):
        watcher = Subscriber(self, "-V", "mqttv5", "-q", "1", "-C", "1", topics=["will"])
        dying = Subscriber(
            self,
            *self.will_options("mqttv5", 1, retain=False),
            *("-D", "will", "content-type", "text/plain"),
            *("-D", "will", "response-topic", "answer"),
            *("-D", "will", "correlation-data", "42"),
            *("-D", "will", "message-expiry-interval", "100"),
            *("-D", "will", "payload-format-indicator", "1"),
            *("-D", "will", "user-property", "cause", "test"),
            topics=["x"],
        )
        dying.kill()
        (message,) = watcher.messages(1)
        self.assertEqual(
            (message.payload, message.content_type, message.response_topic, message.correlation_data),
            (b"gone", "text/plain", "answer", "42"),
        )
        self.assertEqual((message.payload_format, message.user_properties), ("1", "cause:test"))
        self.assertIn(int(message.expiry_seconds), range(40, 101))


class PersistentSessionTest(BrokerCase):
    def test_messages_wait_for_an_absent_subscriber(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                self.messages_wait(version)

    def messages_wait(self, version):
        options = ("-V", version, "-i", f"absent-{version}"[:23], "-c", "-q", "2")
        topic = f"wait/{version}"
        Subscriber(self, *options, topics=[topic]).disconnect()
        expected = []
        for number in range(12):
            qos = number % 3
            publish(self, "-q", str(qos), "-t", topic, "-m", str(number))
            expected.append(Message(topic, qos, False, b"%d" % number))
        subscriber = Subscriber(self, *options, topics=[topic])
        publish(self, "-q", "1", "-t", topic, "-m", "marker")
        expected.append(Message(topic, 1, False, b"marker"))
        received = subscriber.messages(9)
        subscriber.disconnect()
        # QoS 0 may be kept or dropped for an absent subscriber. The client shows a message of QoS 2 when it is released,
        # so it is within one QoS that the order can be seen.
        for qos in (1, 2):
            self.assertEqual([m for m in received if m.qos == qos], [m for m in expected if m.qos == qos])

    def test_session_lasts_over_a_broken_connection(self):
        options = ("-i", "broken", "-c", "-q", "1")
        Subscriber(self, *options, topics=["wait"]).kill()
        publish(self, "-q", "1", "-t", "wait", "-m", "1")
        subscriber = Subscriber(self, *options, "-C", "1", topics=["wait"], subscribed=False)
        self.assertEqual(subscriber.messages(1), [Message("wait", 1, False, b"1")])

    def test_clean_session_forgets(self):
        Subscriber(self, "-i", "clean", "-c", "-q", "1", topics=["wait"]).disconnect()
        publish(self, "-q", "1", "-t", "wait", "-m", "1")
        run(self, "sub", "-i", "clean", "-t", "other", "-E")
        subscriber = Subscriber(self, "-i", "clean", "-c", "-q", "1", "-C", "1", topics=["wait"])
        publish(self, "-q", "1", "-t", "wait", "-m", "2")
        self.assertEqual(subscriber.messages(1), [Message("wait", 1, False, b"2")])

    def test_session_expiry_interval(self):
        # Of two sessions that differ only in their expiry, the one of 1 second is gone by the time that a will, sent
        # when its delay of 2 seconds has passed, says so.
        watcher = Subscriber(self, "-C", "1", topics=["two-seconds-later"])
        for name, seconds in (("short", "1"), ("long", "1000")):
            Subscriber(self, "-V", "mqttv5", "-i", name, "-c", "-x", seconds, "-q", "1", topics=["wait"]).disconnect()
        clock = Subscriber(
            self,
            *("-V", "mqttv5", "-i", "clock", "-c", "-x", "1000", "--will-topic", "two-seconds-later"),
            *("-D", "will", "will-delay-interval", "2"),
            topics=["x"],
        )
        clock.kill()
        watcher.messages(1)
        publish(self, "-q", "1", "-t", "wait", "-m", "1")
        # A client that resumes its session need not subscribe to get what waited.
        options = ("-V", "mqttv5", "-i", "long", "-c", "-x", "1000", "-q", "1", "-C", "1")
        long_lived = Subscriber(self, *options, topics=["y"], subscribed=False)
        self.assertEqual(long_lived.messages(1), [Message("wait", 1, False, b"1")])
        short_lived = Subscriber(self, "-V", "mqttv5", "-i", "short", "-c", "-x", "1", "-q", "1", "-C", "1", topics=["y"])
        publish(self, "-q", "1", "-t", "y", "-m", "marker")
        self.assertEqual(short_lived.messages(1), [Message("y", 1, False, b"marker")])


class PropertyTest(BrokerCase):
    def test_publish_properties_arrive(self):
        subscriber = Subscriber(
            self, "-V", "mqttv5", "-q", "1", "-C", "1", "-D", "subscribe", "subscription-identifier", "268435455", topics=["p/#"]
        )
        publish(
            self,
            *("-V", "mqttv5", "-q", "1", "-t", "p/1", "-m", "{}"),
            *("-D", "publish", "content-type", "application/json"),
            *("-D", "publish", "response-topic", "answers/here"),
            *("-D", "publish", "correlation-data", "id 42"),
            *("-D", "publish", "message-expiry-interval", "3600"),
            *("-D", "publish", "payload-format-indicator", "1"),
            *("-D", "publish", "user-property", "b", "1"),
            *("-D", "publish", "user-property", "a", "é"),
            *("-D", "publish", "user-property", "b", "1"),
        )
        (message,) = subscriber.messages(1)
        self.assertIn(int(message.expiry_seconds), range(3540, 3601))
        expected = Message(
            "p/1", 1, False, b"{}", "application/json", "id 42", message.expiry_seconds, "1", "b:1 a:é b:1", "answers/here", "268435455"
        )
        self.assertEqual(message, expected)

    def test_topic_alias_stands_for_its_topic(self):
        subscriber = Subscriber(self, "-V", "mqttv5", "-q", "1", "-C", "3", topics=["alias/#"])
        publish(
            self,
            *("-V", "mqttv5", "-q", "1", "-t", "alias/long/topic", "-l"),
            *("-D", "publish", "topic-alias", "3"),
            stdin=b"1\n2\n3\n",
        )
        self.assertEqual(subscriber.finish(), 0)
        self.assertEqual(
            subscriber.received(), [Message("alias/long/topic", 1, False, payload) for payload in (b"1", b"2", b"3")]
        )

    def test_expiry_counts_down_and_ends(self):
        # As in test_session_expiry_interval, a will with a delay is the clock: no test here sleeps.
        options = ("-V", "mqttv5", "-i", "later", "-c", "-x", "1000", "-q", "1")
        watcher = Subscriber(self, "-C", "1", topics=["two-seconds-later"])
        Subscriber(self, *options, topics=["e"]).disconnect()
        publish(self, "-V", "mqttv5", "-q", "1", "-t", "e", "-m", "short", "-D", "publish", "message-expiry-interval", "1")
        publish(self, "-V", "mqttv5", "-q", "1", "-t", "e", "-m", "long", "-D", "publish", "message-expiry-interval", "1000")
        publish(self, "-V", "mqttv5", "-q", "1", "-t", "e", "-m", "forever")
        clock = Subscriber(
            self,
            *("-V", "mqttv5", "-i", "clock", "-c", "-x", "1000", "--will-topic", "two-seconds-later"),
            *("-D", "will", "will-delay-interval", "2"),
            topics=["x"],
        )
        clock.kill()
        watcher.messages(1)
        subscriber = Subscriber(self, *options, "-C", "2", topics=["e"], subscribed=False)
        self.assertEqual(subscriber.finish(), 0)
        first, second = subscriber.received()
        self.assertEqual((first.payload, second.payload, second.expiry_seconds), (b"long", b"forever", ""))
        self.assertIn(int(first.expiry_seconds), range(900, 999))

    def test_user_properties_of_every_packet_are_accepted(self):
        run(
            self,
            "sub",
            *("-V", "mqttv5", "-t", "a", "-U", "b", "-E"),
            *("-D", "connect", "user-property", "k", "v"),
            *("-D", "connect", "receive-maximum", "10"),
            *("-D", "connect", "maximum-packet-size", "100000"),
            *("-D", "connect", "topic-alias-maximum", "5"),
            *("-D", "connect", "request-problem-information", "0"),
            *("-D", "connect", "request-response-information", "1"),
            *("-D", "subscribe", "user-property", "k", "v"),
            *("-D", "unsubscribe", "user-property", "k", "v"),
            *("-D", "disconnect", "user-property", "k", "v"),
            *("-D", "disconnect", "session-expiry-interval", "0"),
        )


class SharedSubscriptionTest(BrokerCase):
    def test_each_message_goes_to_one_member(self):
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version=version):
                self.one_member_each(version)

    def one_member_each(self, version):
        members = [
            Subscriber(self, "-V", version, "-q", "1", topics=["$share/team/work/#", f"end/{version}"]) for _ in range(3)
        ]
        alone = Subscriber(self, "-V", version, "-q", "1", topics=["work/#", f"end/{version}"])
        lines = [b"%d" % number for number in range(300)]
        publish(self, "-V", version, "-q", "1", "-t", "work/x", "-l", stdin=b"\n".join(lines) + b"\n")
        # The members' own subscription to the end could be quicker than what is still kept for the group.
        together = lambda: sum(len(member.received()) for member in members)
        ask_until(lambda count: count >= len(lines), together, f"{len(lines)} messages to the members", limits.BULK_SECONDS)
        publish(self, "-V", version, "-q", "1", "-t", f"end/{version}", "-m", "end")
        shares = [until_topic(member, f"end/{version}") for member in members]
        self.assertEqual([message.payload for message in until_topic(alone, f"end/{version}")], lines)
        for share in shares:
            # In turn; but one whose process does not get to run is passed over when its Receive Maximum is reached, 20.
            self.assertGreaterEqual(len(share), 20)
            numbers = [int(message.payload) for message in share]
            self.assertEqual(numbers, sorted(numbers))
            self.assertEqual({message.topic for message in share}, {"work/x"})
        self.assertCountEqual([message.payload for share in shares for message in share], lines)

    def test_member_that_leaves_hands_its_part_on(self):
        staying = Subscriber(self, "-q", "1", topics=["$share/team/work", "end"])
        Subscriber(self, "-i", "leaver", "-q", "1", topics=["$share/team/work"]).disconnect()
        # Who comes back under its identifier is served by the thread that has told the others of its leave.
        run(self, "sub", "-i", "leaver", "-t", "other", "-E")
        lines = [b"%d" % number for number in range(10)]
        publish(self, "-q", "1", "-t", "work", "-l", stdin=b"\n".join(lines) + b"\n")
        publish(self, "-q", "1", "-t", "end", "-m", "end")
        self.assertEqual([message.payload for message in until_topic(staying)], lines)

    @unlike_mosquitto("sends retained messages to members of a group")
    def test_no_retained_messages_for_a_group(self):
        publish(self, "-q", "1", "-t", "work", "-m", "retained", "-r")
        member = Subscriber(self, "-q", "1", "-C", "1", topics=["$share/team/work"])
        publish(self, "-q", "1", "-t", "work", "-m", "live")
        self.assertEqual(member.messages(1), [Message("work", 1, False, b"live")])


class RequestResponseTest(BrokerCase):
    def answer_one_request(self, version):
        service = Subscriber(self, "-V", "mqttv5", "-q", "1", "-C", "1", topics=["service"])
        request = Process(
            [*tool_command(self, "rr"), *tcp(self.server), "-V", version, "-q", "1", "-t", "service", "-e", "answers/1", "-m", "question"],
        )
        self.addCleanup(request.kill)
        (message,) = service.messages(1)
        self.assertEqual((message.topic, message.payload), ("service", b"question"))
        answer_to = message.response_topic if version == "mqttv5" else "answers/1"
        self.assertEqual(answer_to, "answers/1")
        publish(self, "-V", version, "-q", "1", "-t", answer_to, "-m", "answer")
        self.assertEqual(request.finish(), 0)
        self.assertEqual(request.stdout, [b"answer"])

    def test_mosquitto_rr(self):
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version=version):
                self.answer_one_request(version)

    def test_request_without_answer_times_out(self):
        run(self, "rr", "-t", "service", "-e", "answers/1", "-m", "question", "-W", "1", expect=27)

    def test_subscriber_without_messages_times_out(self):
        run(self, "sub", "-t", "service", "-W", "1", expect=27)


class SysTopicsTest(BrokerCase):
    server_options = {"limits_": {"sys_interval_seconds": 1}}

    def test_names_of_mosquitto(self):
        with open(fixture("mosquitto_sys_topics.txt"), encoding="utf-8") as file:
            expected = set(file.read().splitlines())
        # Mosquitto publishes some values only after they first change, so there is some traffic first.
        subscriber = Subscriber(self, topics=["$SYS/#"])
        publish(self, "-t", "x", "-m", "retained", "-r")
        publish(self, "-q", "2", "-t", "y", "-m", "dropped")
        subscriber.process.wait_for(
            lambda: True if expected <= {message.topic for message in subscriber.received()} else None,
            what="full set of names",
        )

    def test_values(self):
        persistent = Subscriber(self, "-i", "away", "-c", topics=["x"])
        persistent.disconnect()
        watcher = Subscriber(self, topics=["$SYS/#"])
        for number in range(7):
            publish(self, "-t", f"r/{number}", "-m", "12345", "-r")

        values = SysValues(watcher.received, watcher.wait)
        values.becomes("clients/connected", "1")
        values.becomes("clients/disconnected", "1")
        values.becomes("clients/total", "2")
        values.becomes("clients/active", "1")
        values.becomes("clients/inactive", "1")
        # The broker may have subscriptions of its own, so it is the difference that counts.
        values.wait_round()
        subscriptions = int(values.all()["subscriptions/count"])
        Subscriber(self, topics=["x", "y"])
        values.becomes("subscriptions/count", str(subscriptions + 2))
        values.reaches("uptime", re.compile(r"^\d+ seconds$").match)
        values.reaches("messages/received", lambda value: int(value) >= 3 * 7)
        values.reaches("bytes/received", lambda value: int(value) > 7 * 5)
        values.reaches("clients/maximum", lambda value: int(value) >= 1)
        values.reaches("load/messages/received/1min", lambda value: float(value) > 0)
        if BROKER != "mosquitto":  # 2.0.11 publishes these, but they stay 0.
            values.becomes("publish/messages/received", "7")
            values.reaches("load/publish/received/1min", lambda value: float(value) > 0)

    def test_values_are_retained_and_hash_does_not_match_them(self):
        subscriber = Subscriber(self, "-C", "1", topics=["$SYS/broker/version"])
        (message,) = subscriber.messages(1)
        self.assertTrue(message.retain)
        self.assertTrue(message.payload)
        everything = Subscriber(self, "-C", "1", topics=["#"])
        # A further round of $SYS has passed when this subscriber sees uptime change.
        Subscriber(self, "-R", "-C", "1", topics=["$SYS/broker/uptime"]).messages(1)
        publish(self, "-t", "x", "-m", "marker")
        self.assertEqual(everything.messages(1), [Message("x", 0, False, b"marker")])


if __name__ == "__main__":
    unittest.main()
