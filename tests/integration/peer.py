"""A peer of processes that speaks ZMTP and their messages by hand, to break every rule."""

import socket
import struct

import harness


def packed(value):
    """Enough of msgpack for messages."""
    if isinstance(value, bool):
        return b'\xc3' if value else b'\xc2'
    if isinstance(value, int):
        return b'\xcf' + struct.pack('>Q', value)
    if isinstance(value, str):
        return b'\xda' + struct.pack('>H', len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b'\xc5' + struct.pack('>H', len(value)) + value
    return b'\xdc' + struct.pack('>H', len(value)) + b''.join(packed(part) for part in value)


def frame(*messages, wire_format=1, cluster_id=0):
    head = [1, wire_format, cluster_id, 1, 'tester', 7]
    return packed(head) + b''.join(packed(message) for message in messages)


class Peer:
    """A client that speaks ZMTP 3.0 by hand, so that it can break every rule."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=20 * harness.SLOWNESS)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()

    def shake_hands(self, identity=b''):
        self.socket.sendall(b'\xff' + bytes(8) + b'\x7f\x03\x00' + b'NULL'.ljust(20, b'\0')
                            + bytes(32))
        self.take(64)
        ready = b'\x05READY\x0bSocket-Type' + struct.pack('>I', 6) + b'DEALER'
        ready += b'\x08Identity' + struct.pack('>I', len(identity)) + identity
        self.socket.sendall(bytes([4, len(ready)]) + ready)
        self.take_part()
        return self

    def send(self, part, more=False):
        self.socket.sendall(struct.pack('>BQ', 2 | more, len(part)) + part)

    def take(self, size):
        data = b''
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def take_part(self):
        flags = self.take(1)[0]
        size = struct.unpack('>Q', self.take(8))[0] if flags & 2 else self.take(1)[0]
        return self.take(size)

    def echo(self, payload=b'hello', **head):
        self.send(frame([71, 5, payload], **head))
        return payload in self.take_part()
