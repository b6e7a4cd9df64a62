"""Just enough of MQTT's framing to see which packets passed: for the proxy's record and for raw sockets."""

from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(10, 16)


@dataclass(frozen=True)
class Packet:
    kind: int
    flags: int
    body: bytes

    @property
    def dup(self):
        return bool(self.flags & 8)

    @property
    def qos(self):
        return (self.flags >> 1) & 3

    @property
    def retain(self):
        return bool(self.flags & 1)

    @property
    def topic(self):
        """Of a PUBLISH; empty where a topic alias stands for it."""
        size = int.from_bytes(self.body[:2], "big")
        return self.body[2 : 2 + size].decode()

    @property
    def packet_id(self):
        if self.kind == PUBLISH:
            start = 2 + int.from_bytes(self.body[:2], "big")
            return int.from_bytes(self.body[start : start + 2], "big") if self.qos else None
        return int.from_bytes(self.body[:2], "big")


def split_packets(data):
    """The whole packets at the start of data, and the bytes left over."""
    packets, at = [], 0
    while (header := _header(data, at)) is not None:
        body_at, size = header
        if body_at + size > len(data):
            break
        packets.append(Packet(data[at] >> 4, data[at] & 15, bytes(data[body_at : body_at + size])))
        at = body_at + size
    return packets, data[at:]


def _header(data, at):
    size, shift = 0, 0
    for index in range(at + 1, min(at + 5, len(data))):
        size |= (data[index] & 127) << shift
        shift += 7
        if data[index] < 128:
            return index + 1, size
    return None


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(kind, flags, body):
    size, header = len(body), bytearray([kind << 4 | flags])
    while True:
        size, low = size >> 7, size & 127
        header.append(low | (128 if size else 0))
        if not size:
            return bytes(header) + body


def connect(client_id, version=5, keep_alive=60, clean=True, properties=b"", will=None):
    """CONNECT; properties are their encoded bytes without the length; will is (topic, payload)."""
    flags = 2 if clean else 0
    payload = text(client_id)
    if will is not None:
        flags |= 4
        payload += (b"\0" if version == 5 else b"") + text(will[0]) + text(will[1])
    body = text("MQTT") + bytes([version, flags]) + keep_alive.to_bytes(2, "big")
    if version == 5:
        body += bytes([len(properties)]) + properties
    return packet(CONNECT, 0, body + payload)
