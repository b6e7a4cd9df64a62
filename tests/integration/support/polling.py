"""Asking again and again, where nothing tells when the answer changes: what a command lists, what several programs have."""

import time

from . import limits

PAUSE_SECONDS = 0.02


def ask_until(enough, ask, what, seconds=limits.EVENT_SECONDS):
    """Returns the first answer of ask() for which enough(answer) is true."""
    deadline = time.monotonic() + seconds
    while not enough(answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {seconds} s; the last answer was {answer}")
        time.sleep(PAUSE_SECONDS)
    return answer
