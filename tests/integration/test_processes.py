"""Processes that are started by hand: they register, are used, and are not missed when they go."""

import time
import unittest

import harness
import isolation
from daemons import Daemons
from harness import Pipe

COUNT = 50
MEASURE_SECONDS = 1
IDLE_TICKS_MAX = 2  # an idle process uses fewer, one that works about ten


class Processes(unittest.TestCase):

    def setUp(self):
        self.cluster = Daemons()
        self.is_good = False
        self.addCleanup(lambda: self.cluster.__exit__(
            None if self.is_good else AssertionError, None, None))
        self.cluster.start_all('w1', 'r1')
        self.pipe = Pipe(self.cluster)
        self.write()

    def check(self):
        self.write()
        self.read()
        self.assertEqual(self.pipe.close(), ([], 0))
        self.assertTrue(self.cluster.skein('digest')['agree'])
        self.is_good = True

    def write(self):
        self.ask(do='txn', operations=lambda number: [
            {'op': 'put', 'collection': 'c', 'id': str(number), 'document': {'n': number}}])

    def read(self):
        for reply in self.ask(do='get', collection='c', id=str):
            self.assertEqual(reply['document'], {'n': reply['tag']})

    def ask(self, **fields):
        """Sends as many requests, with fields that depend on their number, and expects answers."""
        for number in range(COUNT):
            made = {name: make(number) if callable(make) else make for name, make in fields.items()}
            self.pipe.send({**made, 'tag': number, 'timeout_ms': 10000})
        replies = [self.pipe.receive() for _ in range(COUNT)]
        self.assertEqual([reply for reply in replies if 'error' in reply], [])
        return replies

    def start(self, name, role=None):
        self.cluster.start(name, role=role)
        self.cluster.wait_for_names(name)
        self.cluster.wait_until_whole()

    def wait_until_used(self, name, use):
        """Until the process works when clients do."""
        def is_used():
            before = self.cluster.cpu_ticks(name)
            until = time.monotonic() + MEASURE_SECONDS
            while time.monotonic() < until:
                use()
            return self.cluster.cpu_ticks(name) > before + IDLE_TICKS_MAX
        harness.wait_for(is_used, f'{name} to be used')

    def test_a_reader(self):
        self.start('r9')
        self.wait_until_used('r9', self.read)
        self.cluster.kill('r1')
        self.read()
        self.cluster.kill('r9')
        self.cluster.start('r8')
        self.check()

    def test_a_writer(self):
        self.start('w9')
        self.wait_until_used('w9', self.write)
        self.cluster.kill('w1')
        self.write()
        self.cluster.kill('w9')
        self.cluster.start('w8')
        self.check()

    def test_a_replica(self):
        self.cluster.format('s9')
        self.start('s9')
        self.wait_until_used('s9', self.write)
        digest = self.cluster.skein('digest')
        self.assertEqual([node['name'] for node in digest['nodes']], ['s1', 's2', 's3', 's9'])
        for name in ('s2', 's3'):
            self.cluster.kill(name)
        code, _ = self.cluster.refusal('--timeout', '1500', 'put', 'c', 'nothing', '{}')
        self.assertIn(code, (4, 5))
        self.cluster.start('s2', 's3')
        self.cluster.wait_until_whole(20)
        self.check()

    def test_coordinators_one_after_the_other(self):
        for name in ('c1', 'c2'):
            self.cluster.kill(name)
            self.write()
            self.start(name)
        primary = self.cluster.primary()
        self.cluster.kill(primary)
        self.write()
        self.cluster.start(primary)
        self.cluster.wait_until_whole(20)
        self.check()


if __name__ == '__main__':
    isolation.main()
