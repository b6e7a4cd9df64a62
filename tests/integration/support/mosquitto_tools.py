"""mosquitto_pub, mosquitto_sub and mosquitto_rr, and Chappe's own commands that take the same options."""

import itertools
from dataclasses import dataclass

from . import limits
from .presence import Presence
from .process import Process
from .server import chappe_command

SEPARATOR = "\x1f"
NUMBERS = itertools.count(1)
FIELDS = "%t %q %r %C %D %E %F %P %R %S %x".split(" ")


def tool_command(case, tool):
    """The command of "pub", "sub" or "rr" that this test case is about: Debian's, unless the case says tools = "chappe"."""
    if getattr(case, "tools", "mosquitto") == "chappe":
        return [chappe_command(), "request" if tool == "rr" else tool]
    return [f"mosquitto_{tool}"]


@dataclass(frozen=True)
class Message:
    """What mosquitto_sub says of a message; properties are text, empty where absent."""

    topic: str
    qos: int
    retain: bool
    payload: bytes
    content_type: str = ""
    correlation_data: str = ""
    expiry_seconds: str = ""
    payload_format: str = ""
    user_properties: str = ""
    response_topic: str = ""
    subscription_ids: str = ""


def _parse(line):
    topic, qos, retain, content, correlation, expiry, form, user, response, ids, payload = (
        line[len(SEPARATOR) :].decode().split(SEPARATOR)
    )
    return Message(
        topic, int(qos), retain == "1", bytes.fromhex(payload), content, correlation, expiry, form, user, response, ids
    )


class Subscriber:
    """A running mosquitto_sub that has its SUBACK, so that what is published from now on is meant for it."""

    def __init__(self, case, *options, topics=(), where=None, subscribed=True):
        command = ["stdbuf", "-oL", *tool_command(case, "sub"), "-d", *(where or tcp(case.server)), *options]
        command += ["-F", SEPARATOR + SEPARATOR.join(FIELDS)]
        for topic in topics:
            command += ["-t", topic]
        if "-i" not in options:
            options = ("-i", f"subscriber-{next(NUMBERS)}")
            command += options
        client_id = options[options.index("-i") + 1]
        self._presence = Presence(case, where)
        self._presence.connects(client_id)
        self.process = Process(command, name=" ".join(tool_command(case, "sub")))
        case.addCleanup(self.process.kill)
        if subscribed:
            self._wait_subscribed(len(topics))
            self._presence.connected(client_id)

    def _wait_subscribed(self, count):
        """mosquitto_sub says it once, on standard output; chappe sub for each filter, on standard error."""

        def enough():
            stdout, stderr = self.process.stdout, self.process.stderr
            if any(line.startswith(b"Subscribed (mid") for line in stdout):
                return True
            return True if sum(b"subscribed to " in line for line in stderr) >= count else None

        self.process.wait_for(enough, what="SUBACK")

    def wait_unsubscribed(self):
        """Until it has its UNSUBACK, where it is told to unsubscribe (-U)."""
        said = lambda: [*self.process.stdout, *self.process.stderr]
        found = lambda: any(b"UNSUBACK" in line or b"unsubscribed from " in line for line in said()) or None
        self.process.wait_for(found, what="UNSUBACK")

    def received(self):
        mark = SEPARATOR.encode()
        return [_parse(line) for line in list(self.process.stdout) if line.startswith(mark)]

    def messages(self, count, seconds=limits.EVENT_SECONDS):
        """Waits for count messages and returns all that have come, which may be more."""
        mark = SEPARATOR.encode()
        seen = [0, 0]  # Lines looked at, messages among them: the wait does not start over at each line.

        def enough():
            lines = self.process.stdout
            while seen[0] < len(lines) and seen[1] < count:
                seen[1] += lines[seen[0]].startswith(mark)
                seen[0] += 1
            return True if seen[1] >= count else None

        self.process.wait_for(enough, seconds, f"message number {count}")
        return self.received()

    def wait(self, condition, what, seconds=limits.EVENT_SECONDS):
        self.process.wait_for(lambda: condition() or None, seconds, what)

    def finish(self, seconds=limits.EVENT_SECONDS):
        return self.process.finish(seconds)

    def disconnect(self):
        """SIGTERM makes mosquitto_sub send DISCONNECT. Waits until the broker has seen it."""
        self.process.wait_idle()  # It sends from its signal handler, and would hang if it was just saying something (-d).
        code = self.process.terminate()
        self._presence.left()
        return code

    def kill(self):
        """The connection breaks without DISCONNECT. Waits until the broker has seen it."""
        self.process.kill()
        self._presence.left()


def tcp(server, index=0):
    host, port = server.address(index) if hasattr(server, "address") else (server.host, server.port)
    return ["-h", host, "-p", str(port)]


def run(case, tool, *options, where=None, stdin=None, seconds=limits.EVENT_SECONDS, expect=0):
    """Runs a tool to its end and checks its exit code (None: any). Returns the process, with its lines."""
    process = Process([*tool_command(case, tool), *(where or tcp(case.server)), *options], stdin=stdin is not None)
    case.addCleanup(process.kill)
    if stdin is not None:
        process.feed(stdin)
    code = process.finish(seconds)
    if expect is not None and code != expect:
        raise AssertionError(f"{tool} ended with {code}, not {expect}\n{process.report()}")
    return process


def publish(case, *options, **how):
    return run(case, "pub", *options, **how)
