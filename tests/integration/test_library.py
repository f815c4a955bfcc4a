"""libskein on real processes: each claim of skein-library-claims is a process of its own, and some
of them are made while primaries die.
"""

import os
import subprocess
import time
import unittest

import harness
from harness import Cluster

CLAIMS = os.path.join(harness.BIN, 'skein-library-claims')
THROUGH_FAILOVERS = ('no_increment_is_lost', 'transfers_keep_the_sum', 'pages_show_one_version')


def claims():
    return subprocess.run([CLAIMS, 'list'], capture_output=True, text=True,
                          check=True).stdout.split()


class Library(unittest.TestCase):

    def setUp(self):
        self.cluster = Cluster()
        self.cluster.__enter__()
        self.is_good = False
        self.addCleanup(self.clean_up)

    def clean_up(self):
        self.cluster.__exit__(None if self.is_good else AssertionError, None, None)

    def begin(self, claim):
        return subprocess.Popen([CLAIMS, self.cluster.at, claim], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def end(self, process, claim):
        said, _ = process.communicate(timeout=60 * harness.SLOWNESS)
        self.assertEqual(process.returncode, 0, f'{claim}: {said}')

    def test_every_claim(self):
        running = [(claim, self.begin(claim)) for claim in claims()]
        self.assertGreater(len(running), 20)
        for claim, process in running:
            with self.subTest(claim):
                self.end(process, claim)
        self.is_good = True

    def test_claims_through_failovers(self):
        running = [(claim, self.begin(claim)) for claim in THROUGH_FAILOVERS]
        for _ in range(2):
            time.sleep(0.3)
            primary = self.cluster.primary()
            self.cluster.kill(primary)
            self.cluster.wait_for_another_primary(primary)
            self.cluster.start()
            self.cluster.wait_until_whole()
        for claim, process in running:
            with self.subTest(claim):
                self.end(process, claim)
        self.is_good = True


if __name__ == '__main__':
    harness.main()
