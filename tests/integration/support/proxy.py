"""A TCP proxy between a client and a broker that can cut, stall, split and throttle, and remembers what passed."""

import os
import random
import socket
import struct
import threading
import time

from . import limits
from .packets import split_packets

UP, DOWN = "client to broker", "broker to client"


class Proxy:
    """Listens on a port of its own and forwards each connection to the upstream address.

    cut_after(cuts_so_far) says, for a new connection, after how many bytes in both directions it is cut; None: never.

    A cut resets both connections, and what was under way is lost. With gentle=True the client is told by an orderly end
    and what it still writes is thrown away, for clients that do not survive a failing write.
    """

    def __init__(self, host, port, cut_after=None, single_bytes=False, bytes_per_second=None, gentle=False):
        self.upstream = (host, port)
        self.cut_after = cut_after or (lambda cuts: None)
        self.single_bytes = single_bytes
        self.bytes_per_second = bytes_per_second
        self.gentle = gentle
        self.cuts = 0
        self.accepted = 0
        self.changed = threading.Condition()
        self._refusing = False
        self._stalled = set()
        self._held = set()
        self._links = []
        self._record = {UP: [], DOWN: []}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self):
        return "127.0.0.1"

    @property
    def port(self):
        return self._listener.getsockname()[1]

    # What a test can do to the connections.

    def cut(self):
        """Ends every connection: neither side has the chance to say goodbye."""
        with self.changed:
            links = list(self._links)
        for link in links:
            link.reset()

    def refuse(self, refusing=True):
        """New connections are closed at once, as if the broker were not there."""
        with self.changed:
            self._refusing = refusing

    def stall(self, *directions):
        """Stops reading in these directions until resume(): the sender's socket buffers fill, as with a peer that hangs."""
        with self.changed:
            self._stalled.update(directions or (UP, DOWN))

    def hold(self, *directions):
        """Goes on reading and recording in these directions, and forwards nothing until resume()."""
        with self.changed:
            self._held.update(directions or (UP, DOWN))

    def resume(self):
        with self.changed:
            self._stalled.clear()
            self._held.clear()
            links = list(self._links)
            self.changed.notify_all()
        for link in links:
            link.flush()

    # What a test can ask.

    def packets(self, direction, kind=None):
        """The packets that have arrived at the proxy in this direction, whether forwarded already or not."""
        with self.changed:
            return [packet for packet in self._record[direction] if kind is None or packet.kind == kind]

    def wait_for(self, condition, seconds=limits.EVENT_SECONDS, what="condition"):
        """Waits until condition() is true; it is asked again after each arrival of bytes, connection or cut."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"proxy: no {what} within {seconds} s; {self.accepted} accepted, {self.cuts} cut")
                self.changed.wait(left)

    def wait_packets(self, direction, kind, count):
        self.wait_for(lambda: len(self.packets(direction, kind)) >= count, what=f"{count} packets of kind {kind}")
        return self.packets(direction, kind)

    def close(self):
        # shutdown() wakes the thread in accept(), close() alone does not.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.resume()
        self.cut()

    # The inside.

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self.changed:
                self.accepted += 1
                cuts, refusing = self.cuts, self._refusing
                self.changed.notify_all()
            if refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self.upstream, limits.START_SECONDS)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = _Link(self, client, server, self.cut_after(cuts))
            with self.changed:
                self._links.append(link)
            link.start()

    def _gone(self, link, was_cut):
        with self.changed:
            if link in self._links:
                self._links.remove(link)
            if was_cut:
                self.cuts += 1
            self.changed.notify_all()

    def _note(self, direction, packets):
        with self.changed:
            self._record[direction].extend(packets)
            self.changed.notify_all()

    def _wait_while_stalled(self, direction, link):
        with self.changed:
            while direction in self._stalled and link.open:
                self.changed.wait()

    def _holds(self, direction):
        with self.changed:
            return direction in self._held


class _Link:
    """One client's connection and its connection to the broker, with a thread for each direction."""

    def __init__(self, proxy, client, server, cut_after):
        self._proxy = proxy
        self._ends = {UP: (client, server), DOWN: (server, client)}
        self._left = cut_after
        self._lock = threading.Lock()
        self._held = {UP: b"", DOWN: b""}
        self._sending = {UP: threading.Lock(), DOWN: threading.Lock()}
        self.open = True
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        for direction in (UP, DOWN):
            threading.Thread(target=self._pump, args=(direction,), daemon=True).start()

    def reset(self):
        self._close(abort=True)

    def flush(self):
        """Forwards what was held back."""
        for direction in (UP, DOWN):
            try:
                self._forward(direction, b"")
            except OSError:
                self._close(abort=False)

    def _pump(self, direction):
        source = self._ends[direction][0]
        unsplit = b""
        try:
            while data := source.recv(65536):
                packets, unsplit = split_packets(unsplit + data)
                self._proxy._note(direction, packets)
                self._proxy._wait_while_stalled(direction, self)
                self._forward(direction, data)
        except OSError:
            pass
        self._close(abort=False)

    def _forward(self, direction, data):
        with self._sending[direction]:
            data = self._held[direction] + data
            if self._proxy._holds(direction):
                self._held[direction] = data
                return
            self._held[direction] = b""
            allowed = self._take(len(data))
            self._send(self._ends[direction][1], data[:allowed])
        if allowed < len(data):
            self._close(abort=True)

    def _take(self, wanted):
        """How many of these bytes may still pass before the cut."""
        with self._lock:
            if self._left is None:
                return wanted
            allowed = min(wanted, self._left)
            self._left -= allowed
            return allowed

    def _send(self, target, data):
        if self._proxy.single_bytes:
            for index in range(len(data)):
                target.sendall(data[index : index + 1])
        elif self._proxy.bytes_per_second:
            self._send_slowly(target, data, self._proxy.bytes_per_second)
        else:
            target.sendall(data)

    @staticmethod
    def _send_slowly(target, data, bytes_per_second):
        # The pace of the link is what is being simulated here, so this waits by the clock; 50 portions a second.
        portion = max(1, bytes_per_second // 50)
        for at in range(0, len(data), portion):
            target.sendall(data[at : at + portion])
            time.sleep(portion / bytes_per_second)

    def _close(self, abort):
        with self._lock:
            if not self.open:
                return
            self.open = False
        self._proxy._gone(self, abort)  # Before the client can notice and be back: its next connection has the next cut.
        client, server = self._ends[UP]
        _end(server, reset=abort)
        if abort and self._proxy.gentle:
            threading.Thread(target=_end_gently, args=(client,), daemon=True).start()
        else:
            _end(client, reset=abort)


def _end(connection, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        # Wakes the other direction's thread, which may be in recv(). SHUT_RD sends nothing, so that close() then
        # sends a reset and not an orderly end.
        connection.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


def _end_gently(connection):
    """Tells the client that the connection has ended, and throws away what it writes until it notices."""
    try:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    except OSError:
        pass
    connection.close()


def cutting_plan(seed, cuts, least, most):
    """For Proxy.cut_after: `cuts` cuts, each after a random number of bytes, and then no more."""
    generator = random.Random(seed)
    budgets = [generator.randint(least, most) for _ in range(cuts)]
    return lambda done: budgets[done] if done < cuts else None


def new_seed(test):
    """A seed for a test with forced cuts, printed so that SEED=... replays it."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{test.id()}: SEED={seed}", flush=True)
    return seed
