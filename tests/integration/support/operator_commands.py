"""`chappe drops`, `chappe disconnect` and `chappe redirect`: what an operator asks of the broker with a data folder."""

import json

from .polling import ask_until
from .process import Process
from .server import chappe_command


def ask(case, data, *words, expect=0):
    process = Process([chappe_command(), *words, "--data", data])
    case.addCleanup(process.kill)
    case.assertEqual(process.finish(), expect, process.report())
    return process


def ask_json(case, data, *words, expect=0):
    return json.loads(b"\n".join(ask(case, data, *words, "--json", expect=expect).stdout))


def wait_drops(case, data, count):
    """The messages that were dropped, once there are so many. A publisher has its acknowledgement before the thread of the
    subscriber that has no room has seen the message."""
    return ask_until(lambda drops: len(drops) >= count, lambda: ask_json(case, data, "drops")["drops"], f"{count} drops")
