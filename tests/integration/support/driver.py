"""A client program that is driven over its standard input and output; paho/driver.h describes the lines."""

import os
import threading
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from . import limits
from .presence import Presence
from .process import Process
from .server import PEERS, ROOT

HERE = os.path.join(ROOT, "tests", "integration")


@dataclass
class Event:
    kind: str
    fields: list

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def bytes(self, name):
        return self.all(name)[0]

    def text(self, name):
        return self.bytes(name).decode()

    def number(self, name):
        return int(self.bytes(name))

    def has(self, name):
        return bool(self.all(name))

    def user_properties(self):
        pairs = (value.decode().split(":") for value in self.all("user_property"))
        return [(unquote_to_bytes(key).decode(), unquote_to_bytes(value).decode()) for key, value in pairs]


def _encode(value):
    if isinstance(value, (bool, int)):
        value = str(int(value))
    return quote_from_bytes(value.encode() if isinstance(value, str) else value, safe="/-_.")


def _line(command, fields):
    words = [command]
    for name, value in fields.items():
        name = name.replace("__", ".")  # will__content_type stands for will.content_type.
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, tuple):  # A user property.
                item = ":".join(_encode(part) for part in item)
            words.append(f"{name}={_encode(item)}")
    return " ".join(words).encode() + b"\n"


def _parse(line):
    kind, *words = line.decode().split(" ")
    fields = [(name, unquote_to_bytes(value)) for name, value in (word.split("=", 1) for word in words)]
    return Event(kind, fields)


class Driver:
    """One client in a process of its own."""

    def __init__(self, case, command, where=None, **connect):
        where = where or case.server
        self._connect = {"host": where.host, "port": where.port, **connect}
        self._presence = Presence(case, where)
        self._reconnecting = False
        self._tag = 0
        self._writing = threading.Lock()
        self.events = []
        self._counts = {}
        env = {**os.environ, "NODE_PATH": os.path.join(PEERS, "node", "node_modules")}
        self.process = Process(command, stdin=True, env=env, on_line=self._on_line)
        case.addCleanup(self.process.kill)

    def _on_line(self, line):
        event = _parse(line)
        self.events.append(event)
        self._counts[event.kind] = self._counts.get(event.kind, 0) + 1
        if self._reconnecting and event.kind in ("lost", "failed"):
            self.send("connect", **self._connect)

    def send(self, command, **fields):
        with self._writing:
            try:
                self.process.write(_line(command, fields))
            except (BrokenPipeError, ValueError):
                pass  # It has ended: whoever waits for its answer is told so.

    def count(self, kind):
        return self._counts.get(kind, 0)

    def last(self, kind):
        return next(event for event in reversed(self.events) if event.kind == kind)

    def wait(self, condition, what, seconds=limits.EVENT_SECONDS):
        return self.process.wait_for(lambda: condition() or None, seconds, what)

    def wait_event(self, kind, count=1, seconds=limits.EVENT_SECONDS):
        self.wait(lambda: self.count(kind) >= count, f"event {kind} number {count}", seconds)
        return self.last(kind)

    def connect(self):
        """Connects and returns the event, which is "connected" or "failed"."""
        before = self.count("connected") + self.count("failed")
        self._presence.connects(self._connect.get("id", ""))
        self.send("connect", **self._connect)
        self.wait(lambda: self.count("connected") + self.count("failed") > before, "answer to connect")
        answer = next(event for event in reversed(self.events) if event.kind in ("connected", "failed"))
        if answer.kind == "connected":
            self._presence.connected(self._connect.get("id", ""))
        return answer

    def reconnect_from_now_on(self):
        """Connects again at once whenever the connection is lost."""
        self._reconnecting = True

    def reconnect_no_more(self):
        self._reconnecting = False

    def subscribe(self, topic_filter, qos=0, **fields):
        before = self.count("subscribed")
        self.send("subscribe", filter=topic_filter, qos=qos, **fields)
        return self.wait_event("subscribed", before + 1).number("code")

    def unsubscribe(self, topic_filter):
        before = self.count("unsubscribed")
        self.send("unsubscribe", filter=topic_filter)
        return self.wait_event("unsubscribed", before + 1).number("code")

    def start_publishing(self, topic, payload=b"", qos=0, retain=False, **fields):
        self._tag += 1
        self.send("publish", topic=topic, qos=qos, retain=retain, payload=payload, tag=self._tag, **fields)
        return self._tag

    def publish(self, topic, payload=b"", qos=0, retain=False, **fields):
        before = self.count("published")
        self.start_publishing(topic, payload, qos, retain, **fields)
        return self.wait_event("published", before + 1).number("code")

    def messages(self):
        return [event for event in list(self.events) if event.kind == "message"]

    def take(self, count, seconds=limits.EVENT_SECONDS):
        self.wait(lambda: self.count("message") >= count, f"message number {count}", seconds)
        return self.messages()

    def disconnect(self, **fields):
        before = self.count("disconnected")
        self.send("disconnect", **fields)
        self.wait_event("disconnected", before + 1)
        self._presence.left()

    def kill(self):
        self.process.kill()
        self._presence.left()


def short(event):
    return event.text("topic"), event.number("qos"), event.number("retain") == 1, event.bytes("payload")


def paho_program(name):
    """The path of a program from tests/integration/paho, built with the tests; beside the server if it is there."""
    builds = [os.path.dirname(os.environ.get("CHAPPE", ""))]
    builds += [os.path.join(ROOT, "build", preset) for preset in ("debug", "release", "asan", "tsan")]
    for build in builds:
        path = os.path.abspath(os.path.join(build, "tests", "integration", "paho", name))
        if os.access(path, os.X_OK):
            return path
    raise AssertionError(f"{name} is not built: cmake --build build/debug --target {name}")


MQTT_JS = ["node", os.path.join(HERE, "node", "driver.js")]
