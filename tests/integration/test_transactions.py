"""Histories of transactions while processes are killed, hang and hand over are strictly
serializable (transactions.py says what is done, skein-check judges it).
"""

import os
import signal

import harness
import isolation
from transactions import Load
from under_load import ROUNDS, UnderLoad

DONE_MIN = 500


class Transactions(UnderLoad):

    Load = Load

    def check(self):
        harness.wait_for(lambda: self.load.done() > DONE_MIN, 'a history worth judging', 30)
        super().check()

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
        self.let_primaries_hang()

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
