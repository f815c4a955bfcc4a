"""A short run of the nemesis finds nothing, and one with disks that lie finds out.

Longer runs are started by hand (nemesis --help).
"""

import os
import subprocess
import sys
import unittest

import harness

NEMESIS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'nemesis')
SECONDS = 30 if harness.SLOWNESS == 1 else 20
SEED = 5


class Nemesis(unittest.TestCase):

    def run_for(self, seconds, *words):
        """Exit code and report."""
        result = subprocess.run(
            [sys.executable, '-B', NEMESIS, '--seconds', str(seconds), '--seed', str(SEED), *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=280)
        return result.returncode, result.stdout

    def test_mixed_faults(self):
        code, report = self.run_for(SECONDS)
        print(report)
        self.assertEqual(code, 0)

    @unittest.skipIf(harness.SLOWNESS > 1, 'once is enough')
    def test_disks_that_lie_are_found_out(self):
        code, report = self.run_for(30, '--lying-disks', '--faults', 'PowerCut,PowerCutOfAll')
        self.assertEqual(code, 1, report)
        self.assertNotIn('violations: 0', report)


if __name__ == '__main__':
    harness.main()
