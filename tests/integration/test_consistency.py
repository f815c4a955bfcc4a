"""What clients see while processes are killed, hang and hand over.

Nothing acknowledged is lost, nothing is done twice, no read goes back in time, and requests that
have the time succeed (workload.py says how that is checked).
"""

import os
import signal
import time
import unittest

import harness
import isolation
from harness import Cluster
from workload import Load

ROUNDS = int(os.environ.get('SKEIN_ROUNDS', '1'))


class Consistency(unittest.TestCase):

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
        """Lets the load go on; at least one more transaction must succeed."""
        before = self.load.done()
        time.sleep(seconds)
        harness.wait_for(lambda: self.load.done() > before, 'another transaction')

    def check(self):
        self.run_for(0.5)
        self.cluster.wait_until_whole()
        self.assertEqual(self.load.stop(), [])
        digest = self.cluster.skein('digest')
        self.assertTrue(digest['agree'], digest)
        self.assertEqual(len(digest['nodes']), 3)
        self.is_good = True

    def test_killed_primaries(self):
        for _ in range(2 * ROUNDS):
            primary = self.cluster.primary()
            self.cluster.kill(primary)
            self.cluster.wait_for_another_primary(primary)
            self.run_for(0.3)
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

    def test_switchovers(self):
        for _ in range(3 * ROUNDS):
            old = self.cluster.primary()
            done = self.cluster.skein('switchover')
            self.assertEqual(done['old'], old)
            self.run_for(0.2)
        self.check()

    def test_killed_processes_without_data(self):
        for name in ('r1', 'w1', 'c1', 'r2', 'w2', 'c2') * ROUNDS:
            self.cluster.kill(name)
            self.run_for(0.3)
            self.cluster.start()
            self.run_for(0.3)
        self.check()

    def test_a_killed_majority(self):
        for name in ('s1', 's2'):
            self.cluster.kill(name)
        time.sleep(1)
        self.cluster.start()
        self.check()

    def test_everything_killed(self):
        for pid in self.cluster.pids().values():
            os.kill(pid, signal.SIGKILL)
        self.cluster.start()
        self.check()


if __name__ == '__main__':
    isolation.main()
