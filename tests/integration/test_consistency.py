"""What clients see while processes are killed, hang and hand over.

Nothing acknowledged is lost, nothing is done twice, no read goes back in time, and requests that
have the time succeed (workload.py says how that is checked).
"""

import os
import signal
import time

import isolation
from under_load import ROUNDS, UnderLoad
from workload import Load


class Consistency(UnderLoad):

    Load = Load

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
        self.let_primaries_hang()

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
