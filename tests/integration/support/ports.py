"""Free ports for servers that cannot pick one themselves, and for servers that are restarted on the same port."""

import fcntl
import os
import random
import socket
import tempfile

# Below the range from which Linux takes the source ports of outgoing connections, so that a port stays free
# while its server restarts.
FIRST, LAST = 20000, 32000

_held = []  # Open lock files: a port belongs to this process until it ends, also while nothing listens on it.


def free_port(host="127.0.0.1"):
    folder = os.path.join(tempfile.gettempdir(), f"chappe-test-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    for _ in range(200):
        port = random.randint(FIRST, LAST)
        if _lock(os.path.join(folder, str(port))) and _bindable(host, port):
            return port
    raise AssertionError("no free port found")


def _lock(path):
    lock = open(path, "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _held.append(lock)
    return True


def _bindable(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
