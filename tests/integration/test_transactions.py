"""Histories of transactions while processes are killed, hang and hand over are strictly
serializable (transactions.py says what is done, skein-check judges it).
"""

import os
import signal
import time
import unittest

import harness
import isolation
from harness import Cluster
from transactions import Load

ROUNDS = int(os.environ.get('SKEIN_ROUNDS', '1'))
DONE_MIN = 500


class Transactions(unittest.TestCase):

    def setUp(self):
        self.cluster = Cluster(writers=2)
        self.cluster.__enter__()
        self.is_good = False
        self.addCleanup(self.clean_up)
        self.load = Load(self.cluster)
        self.addCleanup(self.load.end)
        self.run_for(0.5)

    def clean_up(self):
        self.cluster.__exit__(None if self.is_good else AssertionError, None, None)

    def run_for(self, seconds):
        """Lets the load go on; at least something more must succeed."""
        before = self.load.done()
        time.sleep(seconds)
        harness.wait_for(lambda: self.load.done() > before, 'another transaction')

    def check(self):
        self.run_for(0.5)
        harness.wait_for(lambda: self.load.done() > DONE_MIN, 'a history worth judging', 30)
        self.cluster.wait_until_whole()
        self.assertEqual(self.load.stop(), [])
        digest = self.cluster.skein('digest')
        self.assertTrue(digest['agree'], digest)
        self.is_good = True

    def test_nothing_fails(self):
        for _ in range(ROUNDS):
            self.run_for(2)
        self.check()

    def test_killed_primaries(self):
        for _ in range(2 * ROUNDS):
            primary = self.cluster.primary()
            self.cluster.kill(primary)
            self.cluster.wait_for_another_primary(primary)
            self.run_for(0.5)
            self.cluster.start()
            self.run_for(0.5)
        self.check()

    def test_primaries_that_hang_and_go_on(self):
        for seconds in (0.2, 1, 0.5) * ROUNDS:
            primary = self.cluster.primary()
            self.cluster.kill(primary, signal.SIGSTOP)
            time.sleep(seconds)
            self.cluster.kill(primary, signal.SIGCONT)
            self.run_for(0.5)
        self.check()

    def test_stopped_primaries(self):
        for _ in range(2 * ROUNDS):
            primary = self.cluster.primary()
            self.cluster.kill(primary, signal.SIGTERM)
            self.cluster.wait_for_another_primary(primary)
            self.cluster.start()
            self.run_for(0.5)
        self.check()

    def test_switchovers(self):
        for _ in range(3 * ROUNDS):
            self.cluster.skein('switchover')
            self.run_for(0.3)
        self.check()

    def test_killed_readers_writers_and_replicas(self):
        for name in ('r1', 'w1', 'r2', 'w2') * ROUNDS:
            replica = next(s for s in ('s1', 's2', 's3') if s != self.cluster.primary())
            self.cluster.kill(name)
            self.cluster.kill(replica)
            self.run_for(0.3)
            self.cluster.start()
            self.run_for(0.3)
        self.check()

    def test_everything_killed(self):
        for _ in range(ROUNDS):
            for pid in self.cluster.pids().values():
                os.kill(pid, signal.SIGKILL)
            harness.wait_for(lambda: not self.cluster.pids(), 'all to be gone')
            self.cluster.start()
            self.run_for(0.5)
        self.check()


if __name__ == '__main__':
    isolation.main()
