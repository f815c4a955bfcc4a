"""A cluster under load whose processes are killed, hang and hand over."""

import os
import signal
import time
import unittest

import harness
from harness import Cluster

ROUNDS = int(os.environ.get('SKEIN_ROUNDS', '1'))


class UnderLoad(unittest.TestCase):
    """`Load` says what its clients do, and what they complain of in the end."""

    Load = None
    WHOLE_SECONDS = 10  # after which all processes are ready again, at most

    def setUp(self):
        self.cluster = self.make_cluster()
        self.is_good = False
        self.addCleanup(self.clean_up)
        self.start()
        self.load = self.Load(self.cluster)
        self.addCleanup(self.load.end)
        self.run_for(0.5)

    def make_cluster(self):
        cluster = Cluster(writers=2)
        cluster.__enter__()
        return cluster

    def start(self):
        """What there is to do before the load."""

    def clean_up(self):
        self.cluster.__exit__(None if self.is_good else AssertionError, None, None)

    def run_for(self, seconds):
        """Lets the load go on; at least one more transaction must succeed."""
        before = self.load.done()
        time.sleep(seconds)
        harness.wait_for(lambda: self.load.done() > before, 'another transaction')

    def check(self):
        self.run_for(0.5)
        self.cluster.wait_until_whole(self.WHOLE_SECONDS)
        self.assertEqual(self.load.stop(), [])
        digest = self.cluster.skein('digest')
        self.assertTrue(digest['agree'], digest)
        self.assertEqual(len(digest['nodes']), 3)
        self.is_good = True

    def let_primaries_hang(self):
        for seconds in (0.2, 1, 0.5) * ROUNDS:
            primary = self.cluster.primary()
            self.cluster.kill(primary, signal.SIGSTOP)
            time.sleep(seconds)
            self.cluster.kill(primary, signal.SIGCONT)
            self.run_for(0.5)
        self.check()
