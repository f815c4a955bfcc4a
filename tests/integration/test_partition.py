"""What clients see while parts of the network are cut: nothing wrong, and a primary that serves.

The clients, writers and readers are on one side; every storage node and coordinator can be cut off
from them and from each other (network.py). workload.py says what is checked.
"""

import time

import harness
import isolation
from daemons import Daemons
from network import Network
from under_load import UnderLoad
from workload import Load

STORAGE = ('s1', 's2', 's3')
HERE = 'here'


class Partition(UnderLoad):

    Load = Load
    WHOLE_SECONDS = 20

    @classmethod
    def setUpClass(cls):
        cls.network = Network('c1', 'c2', *STORAGE)

    def setUp(self):
        self.addCleanup(self.network.heal)
        super().setUp()
        self.primary = self.cluster.primary()
        self.others = [name for name in STORAGE if name != self.primary]

    def make_cluster(self):
        return Daemons(network=self.network, more='')

    def start(self):
        for name in STORAGE:
            self.cluster.format(name)
        self.cluster.start_all('w1', 'w2', 'r1', 'r2')

    def epoch(self):
        return self.cluster.skein('status')['epoch']

    def test_a_primary_alone(self):
        self.network.isolate(self.primary)
        self.cluster.wait_for_another_primary(self.primary)
        self.run_for(2)
        self.network.heal()
        self.check()

    def test_a_primary_that_its_replicas_cannot_reach(self):
        for other in self.others:
            self.network.cut(self.primary, other)
        self.run_for(2)
        self.network.heal()
        self.check()

    def test_a_primary_that_speaks_and_does_not_hear(self):
        for sender in (*self.others, 'c1', 'c2', HERE):
            self.network.mute(sender, self.primary)
        self.cluster.wait_for_another_primary(self.primary)
        self.run_for(1)
        self.network.heal()
        self.check()

    def test_a_primary_that_hears_and_does_not_speak(self):
        for receiver in (*self.others, 'c1', 'c2', HERE):
            self.network.mute(self.primary, receiver)
        self.cluster.wait_for_another_primary(self.primary)
        self.run_for(1)
        self.network.heal()
        self.check()

    def test_a_replica_alone(self):
        epoch = self.epoch()
        self.network.isolate(self.others[0])
        self.run_for(2)
        self.assertEqual(self.epoch(), epoch)
        self.network.heal()
        self.check()
        self.assertEqual(self.epoch(), epoch)

    def test_everybody_alone_for_a_while(self):
        for name in STORAGE:
            self.network.isolate(name)
        time.sleep(6)  # TCP alone would send again after as long once more
        self.network.heal()
        before = self.load.done()
        harness.wait_for(lambda: self.load.done() > before, 'service soon after', 3)
        self.check()

    def test_coordinators_that_lose_sight_of_the_primary_change_nothing(self):
        epoch = self.epoch()
        for name in ('c1', 'c2'):
            self.network.cut(name, self.primary)
        self.run_for(2)
        self.assertEqual(self.epoch(), epoch)
        self.network.heal()
        self.check()
        self.assertEqual(self.epoch(), epoch)


if __name__ == '__main__':
    isolation.main()
