"""Paho for Python (Debian's 1.6.1) with everything that happens kept in lists that a test can wait on."""

import socket
import threading
import time
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from . import limits
from .presence import Presence

V31, V311, V5 = paho.MQTTv31, paho.MQTTv311, paho.MQTTv5


@dataclass
class Received:
    topic: str
    qos: int
    retain: bool
    dup: bool
    payload: bytes
    properties: dict = field(default_factory=dict)

    def short(self):
        return self.topic, self.qos, self.retain, self.payload


def properties(packet, **values):
    """Properties of a packet type by the names of Paho; UserProperty and SubscriptionIdentifier also as a list."""
    result = Properties(packet)
    for name, value in values.items():
        if name == "SubscriptionIdentifier" and not isinstance(value, list):
            value = [value]
        setattr(result, name, value)
    return result


def _as_dictionary(values):
    return {} if values is None else {name.replace(" ", ""): value for name, value in values.json().items()}


class PahoClient:
    """One client. Calls return when the broker has answered, unless told otherwise."""

    def __init__(self, case, client_id="", version=V5, where=None, clean=True, keep_alive=60, connect=None, will=None,
                 transport="tcp", tls=None):
        self.host, self.port = (where or case.server).host, (where or case.server).port
        self.version, self.clean, self.keep_alive = version, clean, keep_alive
        self._connect_values = connect or {}
        self.changed = threading.Condition()
        self.connacks, self.messages, self.disconnects = [], [], []
        self.subacks, self.unsubacks, self.published = {}, {}, set()
        self._client_id, self._presence = client_id, Presence(case, where)
        options = {} if version == V5 else {"clean_session": clean}
        self.paho = paho.Client(client_id, protocol=version, transport=transport, reconnect_on_failure=False, **options)
        if tls is not None:
            self.paho.tls_set_context(tls)
        if will is not None:
            self._set_will(**will)
        self._bind()
        case.addCleanup(self.close)

    def _set_will(self, topic, payload=b"", qos=0, retain=False, **values):
        extra = {"properties": properties(PacketTypes.WILLMESSAGE, **values)} if self.version == V5 else {}
        self.paho.will_set(topic, payload, qos, retain, **extra)

    def _bind(self):
        self.paho.on_connect = lambda *args: self._note(self.connacks, self._connack(*args))
        self.paho.on_disconnect = lambda *args: self._note(self.disconnects, args[2:])
        self.paho.on_message = lambda _client, _data, message: self._note(self.messages, self._received(message))
        self.paho.on_subscribe = self._on_subscribe
        self.paho.on_unsubscribe = self._on_unsubscribe
        self.paho.on_publish = self._on_publish

    def _note(self, items, item):
        with self.changed:
            items.append(item)
            self.changed.notify_all()

    @staticmethod
    def _connack(_client, _data, flags, code, values=None):
        return {"session_present": bool(flags["session present"]), "code": _number(code), **_as_dictionary(values)}

    @staticmethod
    def _received(message):
        values = _as_dictionary(getattr(message, "properties", None))
        return Received(message.topic, message.qos, bool(message.retain), bool(message.dup), message.payload, values)

    def _on_subscribe(self, _client, _data, mid, codes, _values=None):
        with self.changed:
            self.subacks[mid] = [_number(code) for code in codes]
            self.changed.notify_all()

    def _on_unsubscribe(self, _client, _data, mid, _values=None, codes=None):
        with self.changed:
            codes = codes if isinstance(codes, list) else [codes] if codes is not None else []
            self.unsubacks[mid] = [_number(code) for code in codes]
            self.changed.notify_all()

    def _on_publish(self, _client, _data, mid):
        with self.changed:
            self.published.add(mid)
            self.changed.notify_all()

    def wait(self, condition, what, seconds=limits.EVENT_SECONDS):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    state = f"connacks {self.connacks}, disconnects {self.disconnects}, {len(self.messages)} messages"
                    raise AssertionError(f"paho: no {what} within {seconds} s; {state}")
                self.changed.wait(left)

    # What a client does.

    def start_connecting(self):
        extra = {}
        if self.version == V5:
            extra = {"clean_start": self.clean, "properties": properties(PacketTypes.CONNECT, **self._connect_values)}
        self.paho.loop_stop()
        self.paho.connect(self.host, self.port, self.keep_alive, **extra)
        self.paho.loop_start()

    def connect(self, expect=0):
        """Returns self; the CONNACK is in connack()."""
        count = len(self.connacks)
        self._presence.connects(self._client_id)
        self.start_connecting()
        self.wait(lambda: len(self.connacks) > count, "CONNACK")
        if self.connack()["code"] != expect:
            raise AssertionError(f"CONNACK {self.connack()}, not {expect}")
        if expect == 0:
            self._presence.connected(self.connack().get("AssignedClientIdentifier", self._client_id))
        return self

    def connack(self):
        return self.connacks[-1]

    def subscribe(self, topic_filter, qos=0, no_local=False, retain_as_published=False, retain_handling=0, **values):
        """Returns the reason code."""
        if self.version == V5:
            options = SubscribeOptions(qos, no_local, retain_as_published, retain_handling)
            result = self.paho.subscribe(topic_filter, options=options, properties=properties(PacketTypes.SUBSCRIBE, **values))
        else:
            result = self.paho.subscribe(topic_filter, qos)
        self.wait(lambda: result[1] in self.subacks, "SUBACK")
        (code,) = self.subacks[result[1]]
        return code

    def unsubscribe(self, topic_filter):
        result = self.paho.unsubscribe(topic_filter)
        self.wait(lambda: result[1] in self.unsubacks, "UNSUBACK")
        return self.unsubacks[result[1]]

    def start_publishing(self, topic, payload=b"", qos=0, retain=False, **values):
        """Returns the message id without waiting for the acknowledgement."""
        extra = {"properties": properties(PacketTypes.PUBLISH, **values)} if self.version == V5 else {}
        return self.paho.publish(topic, payload, qos, retain, **extra).mid

    def publish(self, topic, payload=b"", qos=0, retain=False, **values):
        mid = self.start_publishing(topic, payload, qos, retain, **values)
        self.wait(lambda: mid in self.published, "acknowledgement")

    def take(self, count, seconds=limits.EVENT_SECONDS):
        """Waits for count messages, and returns all that have come, which may be more."""
        self.wait(lambda: len(self.messages) >= count, f"message number {count}", seconds)
        with self.changed:
            return list(self.messages)

    def until(self, topic):
        """The messages before the first one on this topic."""
        self.wait(lambda: any(message.topic == topic for message in self.messages), f"message on {topic}")
        with self.changed:
            return self.messages[: [message.topic for message in self.messages].index(topic)]

    def forget_messages(self):
        with self.changed:
            self.messages.clear()

    def wait_disconnected(self, seconds=limits.EVENT_SECONDS):
        self.wait(lambda: self.disconnects, "end of the connection", seconds)
        return self.disconnects[-1]

    def disconnect(self, reason_code=None, **values):
        """DISCONNECT, and waits until the broker has seen it."""
        count = len(self.disconnects)
        if self.version == V5:
            self.paho.disconnect(reason_code, properties(PacketTypes.DISCONNECT, **values) if values else None)
        else:
            self.paho.disconnect()
        self.wait(lambda: len(self.disconnects) > count, "end of the connection")
        self.paho.loop_stop()
        self._presence.left()

    def break_connection(self):
        """The connection ends without DISCONNECT."""
        self.paho.socket().shutdown(socket.SHUT_RDWR)
        self.wait_left()

    def wait_left(self):
        """Waits until the connection, which something else ends, has ended for both: the client and the broker."""
        self.wait_disconnected()
        self._presence.left()

    def close(self):
        if self.paho.socket() is not None:
            self.paho.disconnect()
            try:
                self.paho.socket().shutdown(socket.SHUT_RDWR)
            except (OSError, AttributeError):
                pass
        self.paho._thread_terminate = True
        self.paho._out_messages.clear()  # loop_stop() would wait for their acknowledgements.
        self.paho.loop_stop()


def _number(code):
    return code if isinstance(code, int) else code.value
