"""When the broker has seen that a client is gone.

A client that has sent its DISCONNECT, or broken its connection, does not know when the broker takes that up, and the
broker's threads take up what different clients do in any order. So a test in which somebody publishes to a client that
has just left waits here first. Chappe's log says when a connection begins and ends; of other brokers nothing is known.
"""

from . import limits
from .proxy import Proxy
from .server import Chappe, Server


class Presence:
    """One client's connections, one after the other, to the broker that it connects to, directly or through a proxy."""

    def __init__(self, case, where=None):
        server = getattr(case, "server", None) if where is None or isinstance(where, Proxy) else where
        self._broker = server.broker if isinstance(server, Server) and isinstance(server.broker, Chappe) else None
        self._before = 0
        self._address = None

    def _events(self, kind, client_id):
        return [event for event in self._broker.events() if event.get("event") == kind and event["client"] == client_id]

    def connects(self, client_id):
        """It is about to, under this client identifier."""
        if self._broker is not None:
            self._before = len(self._events("client_connected", client_id)) if client_id else 0

    def connected(self, client_id):
        """It has; the client identifier may be one that the broker assigned, or empty if it is not known."""
        if self._broker is None or not client_id:
            return
        found = lambda: (self._events("client_connected", client_id)[self._before :] or [None])[0]
        self._address = self._wait(found, f"connection of {client_id}")["address"]

    def left(self):
        """It has ended its connection: waits until the broker has seen that."""
        if self._address is None:
            return
        ended = {"event": "client_disconnected", "address": self._address}
        found = lambda: next((event for event in self._broker.events() if ended.items() <= event.items()), None)
        if self._broker.process.running():
            self._wait(found, f"end of the connection from {self._address}")
        self._address = None

    def _wait(self, found, what):
        return self._broker.process.wait_for(found, limits.EVENT_SECONDS, what)
