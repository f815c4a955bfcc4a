"""Bad input at every endpoint of a running cluster: refused, and every process goes on serving.

The messages of wire/PROTOCOL.md are sent with fields that are all zero or as large as they may be,
those of clients with arbitrary ones, too, by a peer that knows the cluster's id. (test_skeind.py
has what is no message at all.) With SKEIN_INSIDER=1 every message gets arbitrary fields: such a
peer may depose a primary, and by and by hits on messages that only an authenticated one may send.
"""

import os
import random
import re
import unittest

import harness
import isolation
from daemons import Daemons
from peer import Peer, frame

PROTOCOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../wire/PROTOCOL.md')
WIDTHS = {'u8': 8, 'u32': 32, 'u64': 64}
BLOB_SIZE_MAX = 2000
SEED = int(os.environ.get('SKEIN_SEED', '0')) or random.randrange(1 << 32)
IS_INSIDER = os.environ.get('SKEIN_INSIDER') == '1'
# Those that a client sends: topology_get, transact, transact_status, read, mark, digest, why, echo.
OF_CLIENTS = (42, 50, 52, 54, 60, 62, 64, 71)
ROUNDS = int(os.environ.get('SKEIN_ROUNDS', '1'))


def read_protocol():
    """{id: [(type, size at most)]} of every message."""
    kinds, fields = {}, None
    with open(PROTOCOL, encoding='utf-8') as file:
        for line in file:
            if head := re.match(r'### (\d+) ', line):
                fields = kinds[int(head[1])] = []
            elif row := re.match(r'\| `\w+` \| (\w+) \| ?(\d*) ?\|', line):
                fields.append((row[1], int(row[2] or 0)))
    return kinds


class Messages:
    """Well-formed messages of every kind, with nonsense in them."""

    def __init__(self):
        self.kinds = read_protocol()
        self.random = random.Random(SEED)

    def zero(self, kind, size_max):
        return {'text': '', 'blob': b'', 'flag': False}.get(kind, 0)

    def largest(self, kind, size_max):
        if kind == 'text':
            return 'x' * size_max
        if kind == 'blob':
            return self.random.randbytes(min(size_max, BLOB_SIZE_MAX))
        return True if kind == 'flag' else (1 << WIDTHS[kind]) - 1

    def arbitrary(self, kind, size_max):
        if kind == 'text':
            return self.random.choice(('', 's1', 's2', 'c1', 'r1', 'tester', 'x' * size_max))
        if kind == 'blob':
            inner = self.random.choice(list(self.kinds))
            return self.random.choice((b'', b'\x90', b'\x80', self.random.randbytes(20),
                                       frame(self.message(inner, self.zero))))
        if kind == 'flag':
            return self.random.random() < 0.5
        return self.random.choice((0, 1, 2, 3, 5, 100, 1 << 20,
                                   self.random.getrandbits(WIDTHS[kind]))) % (1 << WIDTHS[kind])

    def message(self, kind, make):
        return [kind] + [make(*field) for field in self.kinds[kind]]

    def of_all_kinds(self):
        for kind in self.kinds:
            yield self.message(kind, self.zero)
            yield self.message(kind, self.largest)
            for _ in range(6 * ROUNDS if kind in OF_CLIENTS or IS_INSIDER else 0):
                yield self.message(kind, self.arbitrary)


class BadInput(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Daemons()
        cls.cluster.start_all('w1', 'r1', 'm1')
        cls.cluster.skein('put', 'c', 'x', '{"n": 1}')
        cls.cluster_id = int(re.search('cluster_id=([0-9a-f]+)', cls.cluster.log('c1'))[1], 16)
        cls.ports = {process['name']: int(process['endpoint'].rsplit(':', 1)[1])
                     for process in cls.cluster.skein('status')['processes']}

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def setUp(self):
        print(f'SKEIN_SEED={SEED}')
        self.messages = Messages()

    def expect_service(self):
        for name, process in self.cluster.processes.items():
            self.assertIsNone(process.poll(), f'{name} ended: {self.cluster.log(name)[-2000:]}')
        self.cluster.skein('--timeout', '20000', 'put', 'c', 'y', '{"n": 2}')
        self.assertEqual(self.cluster.skein('get', 'c', 'y')['document'], {'n': 2})
        self.assertEqual(self.cluster.skein('get', 'c', 'x')['document'], {'n': 1})
        self.cluster.wait_until_whole(20)
        digest = self.cluster.skein('digest')
        self.assertTrue(digest['agree'], digest)

    def send_all(self, name, parts):
        """Sends them to a process, and waits until it has dealt with the last one."""
        with Peer(self.ports[name]) as peer:
            peer.shake_hands()
            for part in parts:
                peer.send(part)
            peer.send(frame([71, 5, b'the last one']))
            while b'the last one' not in peer.take_part():
                pass

    def whole_frames(self):
        for message in self.messages.of_all_kinds():
            yield frame(message, cluster_id=self.cluster_id)

    def test_every_role_was_asked(self):
        self.assertEqual(set(self.ports), {'c1', 'c2', 's1', 's2', 's3', 'w1', 'r1', 'm1'})

    def test_messages_with_nonsense_in_them(self):
        for name in self.ports:
            self.send_all(name, self.whole_frames())
        self.expect_service()

    def test_frames_that_are_cut_off(self):
        for name in self.ports:
            self.send_all(name, (whole[:self.messages.random.randrange(len(whole))]
                                 for whole in self.whole_frames()))
        self.expect_service()

    def test_frames_with_flipped_bytes(self):
        for name in self.ports:
            self.send_all(name, (self.flip(whole) for whole in self.whole_frames()))
        self.expect_service()

    def flip(self, whole):
        bad = bytearray(whole)
        bad[self.messages.random.randrange(len(bad))] ^= 1 << self.messages.random.randrange(8)
        return bytes(bad)

    def test_frames_of_another_cluster_are_refused(self):
        for name, port in self.ports.items():
            with self.subTest(name=name), Peer(port) as peer:
                peer.shake_hands()
                peer.send(frame([71, 5, b'hello'], cluster_id=self.cluster_id ^ 1))
                self.assertIn(b'another cluster', peer.take_part())
        self.expect_service()

    def test_frames_that_are_too_large_end_the_connection(self):
        for port in self.ports.values():
            with Peer(port) as peer:
                peer.shake_hands()
                with self.assertRaises(ConnectionError):
                    peer.send(bytes(9 << 20))
                    peer.take_part()
        self.expect_service()

    def test_garbage_in_place_of_a_connection(self):
        for port in self.ports.values():
            with Peer(port) as peer:
                try:
                    peer.socket.sendall(os.urandom(100000))
                except ConnectionError:
                    pass
        self.expect_service()


class Deadlines(unittest.TestCase):

    def test_a_deadline_that_passes_is_no_lie(self):
        with Daemons(storage=1, coordinators=1) as cluster:
            cluster.start_all('w1', 'r1')
            process = cluster.processes['s1']
            codes = set()
            for number in range(20):
                # The command's own start takes most of the millisecond; the pause takes the rest.
                cluster.kill('s1', 19)
                result = harness.call('--at', cluster.at, '--timeout', '1', '--format', 'json',
                                      'put', 'c', str(number), '{}')
                cluster.kill('s1', 18)
                codes.add((result.returncode, re.search('"code":"([a-z_]+)"', result.stderr)[1]))
            self.assertIsNone(process.poll())
            self.assertLessEqual(codes, {(4, 'unavailable'), (4, 'deadline'),
                                         (5, 'unknown_outcome')})
            self.assertEqual(cluster.refusal('--timeout', '0', 'put', 'c', 'x', '{}'),
                             (2, 'bad_request'))


if __name__ == '__main__':
    isolation.main()
