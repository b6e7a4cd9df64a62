"""Free ports for servers that cannot pick one themselves, and for servers that are restarted on the same port."""

import fcntl
import os
import random
import socket
import tempfile

# Below the range from which Linux takes the source ports of outgoing connections, so that a port stays free
# while its server restarts.
FIRST, LAST = 20000, 32000

_locks = None  # One file for all; each process that has a port holds the lock on the byte of that number.
_held = set()  # The ports of this process until it ends, also while nothing listens on them.


def free_port(host="127.0.0.1"):
    for _ in range(200):
        port = random.randint(FIRST, LAST)
        if port not in _held and _lock(port) and bindable(host, port):
            return port
    raise AssertionError("no free port found")


def _lock(port):
    global _locks
    if _locks is None:
        path = os.path.join(tempfile.gettempdir(), f"chappe-test-ports-{os.getuid()}.lock")
        _locks = open(path, "w")  # Stays open: to close it once would give all locks back.
    try:
        fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):  # Another process has it.
        return False
    _held.add(port)
    return True


def bindable(host, port=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True
