"""The broker under test: `chappe serve`, or Debian's mosquitto with BROKER=mosquitto.

Every test is first run against mosquitto, so that it is known to be right before it judges Chappe.
"""

import json
import os
import re
import socket
import tempfile
import threading
import unittest
from urllib.parse import urlsplit

from . import limits, packets, ports
from .process import Process

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PEERS = os.path.join(ROOT, "build", "peers")
MOSQUITTO = os.path.join(PEERS, "mosquitto", "usr", "sbin", "mosquitto")

BROKER = os.environ.get("BROKER", "chappe")

SANITIZER_REPORT = re.compile(rb"(ERROR|WARNING): (Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


def chappe_command():
    command = os.environ.get("CHAPPE", os.path.join(ROOT, "build", "release", "chappe"))
    if not os.access(command, os.X_OK):
        raise FileNotFoundError(f"{command} is not there; CHAPPE names another")
    return os.path.abspath(command)


def unlike_mosquitto(reason):
    """Marks a test of what Debian's mosquitto 2.0.11 does not do, or does in another way than the standard."""
    return unittest.skipIf(BROKER == "mosquitto", f"mosquitto 2.0.11: {reason}")


def _with_port(url):
    """A port that stays ours where the URL leaves it open: tests stop and start servers, and a port that the system chose
    may be somebody else's source port in between."""
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.port != 0:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{ports.free_port(parts.hostname)}"


class Mosquitto:
    """Debian's mosquitto, as the broker under test or as the peer of a bridge."""

    # A bound of Chappe's by the name of the setting with the same effect.
    SETTINGS = {
        "receive_maximum": "max_inflight_messages",
        "inflight_max": "max_inflight_messages",
        "queue_messages_max": "max_queued_messages",
        "packet_size_max": "max_packet_size",
        "keep_alive_max_seconds": "max_keepalive",
        "sys_interval_seconds": "sys_interval",
    }

    def __init__(self, listen=("mqtt://127.0.0.1:0",), data=None, limits_=None, extra=(), persistent=False):
        self._listen = [_with_port(url) for url in listen]
        self._scratch = tempfile.TemporaryDirectory(prefix="chappe-mosquitto-")
        self._settings = [
            *(["user root"] if os.getuid() == 0 else []),  # Or it would become somebody who may not read its files.
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "max_queued_messages 0",
            # Mosquitto ends the connection of a client of 3.1.1 that has more in flight, although nothing tells it.
            "max_inflight_messages 1000",
            *(f"{self.SETTINGS[key]} {value}" for key, value in (limits_ or {}).items()),
            *extra,
        ]
        if persistent:
            self._settings += ["persistence true", f"persistence_location {data or self._scratch.name}/"]
        self.process = None

    def start(self):
        config = os.path.join(self._scratch.name, "mosquitto.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("\n".join([*self._settings, *map(self._listener, self._listen)]) + "\n")
        self.process = Process([MOSQUITTO, "-c", config], name="mosquitto")
        self.process.wait_line(
            lambda line: line.endswith(b" running"), self.process.stderr, seconds=limits.START_SECONDS, what="start"
        )
        self._wait_for_its_loop()
        return self

    def _wait_for_its_loop(self):
        """It says "running" a moment before it is: a SIGTERM in between would be forgotten."""
        parts = next((urlsplit(url) for url in self._listen if url.startswith("mqtt:")), None)
        if parts is not None:
            with socket.create_connection((parts.hostname, parts.port), limits.START_SECONDS) as probe:
                probe.sendall(packets.connect("probe", version=4))
                probe.recv(4)
                probe.sendall(packets.packet(packets.DISCONNECT, 0, b""))
                probe.recv(1)

    @staticmethod
    def _listener(url):
        if url.startswith("unix:"):
            return f"listener 0 {url[len('unix:'):]}"
        parts = urlsplit(url)
        return f"listener {parts.port} {parts.hostname}"

    def urls(self):
        return list(self._listen)

    @property
    def host(self):
        return urlsplit(self._listen[0]).hostname

    @property
    def port(self):
        return urlsplit(self._listen[0]).port

    def stop(self):
        code = self.process.terminate()
        if code != 0:
            raise AssertionError(f"mosquitto ended with {code}\n{self.process.report()}")

    def kill(self):
        self.process.kill()

    def close(self):
        if self.process is not None:
            self.process.kill()
        self._scratch.cleanup()


class Chappe:
    """`chappe serve` on free ports, with a data folder of its own, and as many threads on every machine."""

    SHARDS = 3

    def __init__(self, listen=("mqtt://127.0.0.1:0",), data=None, limits_=None, flags=(), persistent=False):
        self._listen = [_with_port(url) for url in listen]
        self._scratch = tempfile.TemporaryDirectory(prefix="chappe-test-")
        self.data = data or os.path.join(self._scratch.name, "data")
        self._flags = list(flags)
        if not any("server.shards" in flag for flag in flags):
            self._flags += ["--set", f"server.shards={self.SHARDS}"]
        if "--config" not in self._flags and "client_connects_per_minute_max" not in (limits_ or {}):
            self._flags += ["--set", "limits.client_connects_per_minute_max=0"]  # Many tests cut connections on purpose.
        if limits_:
            self._flags += ["--config", self._write_config(limits_)]
        self._reading = threading.Lock()  # Tests read the log from several threads.
        self.process = None

    def _write_config(self, limits_):
        limits_ = dict(limits_)
        text = ""
        if (interval := limits_.pop("sys_interval_seconds", None)) is not None:
            text += f"[server]\nsys_interval_seconds = {interval}\n"
        if "packet_size_max" in limits_:
            limits_["connect_packet_size_max"] = limits_["packet_size_max"]  # May not be above it.
        text += "[limits]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in limits_.items())
        path = os.path.join(self._scratch.name, "chappe.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self):
        command = [chappe_command(), "serve", "--data", self.data, "--log-format", "json", *self._flags]
        for url in self._listen:
            command += ["--listen", url]
        self.process = Process(command, name="chappe serve")
        self._events, self._lines_read = [], 0
        self._listen = self.process.wait_for(self._listening, limits.START_SECONDS, "listening event for each listener")
        return self

    def _listening(self):
        """The URLs that it really listens on, in the order asked for; a restart uses the same ones. Where the listeners are
        those of a configuration file (listen=()), the first is enough."""
        found = self.urls_so_far()
        return found if len(found) >= max(1, len(self._listen)) else None

    def urls_so_far(self):
        return [event["url"] for event in self.logged("listening")]

    def events(self):
        """What it has logged so far, as dictionaries."""
        with self._reading:
            for line in self.process.stderr[self._lines_read :]:
                self._lines_read += 1
                try:
                    self._events.append(json.loads(line))
                except ValueError:
                    continue  # A sanitizer's report, for example; stop() looks for those.
            return list(self._events)

    def logged(self, kind):
        """The events of this kind so far."""
        return [event for event in self.events() if event.get("event") == kind]

    def wait_event(self, kind):
        """The first event of this kind."""
        return self.process.wait_for(lambda: next(iter(self.logged(kind)), None), what=f"event {kind}")

    def urls(self):
        return list(self._listen)

    def stop(self):
        code = self.process.terminate()
        self._check_reports()
        if code != 0:
            raise AssertionError(f"chappe serve ended with {code} after SIGTERM\n{self.process.report()}")

    def kill(self):
        self.process.kill()
        self._check_reports()

    def _check_reports(self):
        if any(SANITIZER_REPORT.search(line) for line in self.process.stderr):
            text = b"\n".join(self.process.stderr).decode(errors="replace")
            raise AssertionError(f"a sanitizer reported from chappe serve:\n{text}")

    def close(self):
        if self.process is not None:
            self.process.kill()
        self._scratch.cleanup()


class Server:
    """The broker under test, started, with host and port of its first TCP listener."""

    def __init__(self, **options):
        self.broker = Mosquitto(**options) if BROKER == "mosquitto" else Chappe(**options)
        self._up = False
        self.start()

    @property
    def process(self):
        return self.broker.process

    def urls(self):
        return self.broker.urls()

    def address(self, index=0):
        parts = urlsplit(self.urls()[index])
        return parts.hostname, parts.port

    @property
    def host(self):
        return self.address()[0]

    @property
    def port(self):
        return self.address()[1]

    def stop(self):
        self._up = False
        self.broker.stop()

    def kill(self):
        self._up = False
        self.broker.kill()

    def restart(self):
        """A clean stop and a start on the same ports with the same data."""
        self.stop()
        self.start()

    def start(self):
        self.broker.start()
        self._up = True

    def close(self):
        """For a test's cleanup: an orderly stop if the test has not made one, so that a crash or a report is seen."""
        try:
            if self._up:
                self.stop()
        finally:
            self.broker.close()
