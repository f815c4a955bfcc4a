"""Full disks: writes are refused, reads go on and all goes on without a restart when there is room.

Every storage node has its data on a small file system of its own, filled up by a file beside.
"""

import json
import os
import unittest

import harness
import isolation
from daemons import Daemons
from isolation import command

SIZE_MIB = 160
TEXT = 'x' * 100000


class FullDisk(unittest.TestCase):

    def setUp(self):
        self.cluster = Daemons()
        self.is_good = False
        self.addCleanup(self.clean_up)
        for name in self.cluster.storage:
            os.makedirs(self.cluster.data(name))
            command('mount', '-t', 'tmpfs', '-o', f'size={SIZE_MIB}m', 'none',
                    self.cluster.data(name))
        self.cluster.start_all('w1', 'r1')
        self.cluster.skein('put', 'c', 'x', '{"n": 1}')
        self.pids = {name: self.cluster.processes[name].pid for name in self.cluster.storage}

    def clean_up(self):
        for process in self.cluster.processes.values():
            process.kill()
            process.wait()
        for name in self.cluster.storage:
            command('umount', self.cluster.data(name))
        self.cluster.__exit__(None if self.is_good else AssertionError, None, None)

    def fill(self, *names):
        for name in names:
            with open(self.cluster.data(name, 'filler'), 'wb', buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(1 << 16))
                except OSError:
                    pass

    def make_room(self, *names):
        for name in names:
            os.remove(self.cluster.data(name, 'filler'))

    def put(self, number, timeout=3000):
        result = harness.call('--at', self.cluster.at, '--timeout', str(timeout), '--format',
                              'json', 'put', 'c', f'fill-{number % 50}', '-',
                              stdin=json.dumps({'text': TEXT}))
        return 'ok' if result.returncode == 0 else json.loads(result.stderr)['error']['code']

    def write_until_refused(self, count=1500):
        for number in range(count):
            code = self.put(number)
            if code != 'ok':
                return code
        return 'ok'

    def expect_reads(self, level='linearizable'):
        for name, document in (('x', {'n': 1}), ('fill-1', {'text': TEXT})):
            read = self.cluster.skein('get', 'c', name, '--level', level)
            self.assertEqual(read['document'], document)

    def expect_service(self):
        harness.wait_for(lambda: self.put(0) == 'ok', 'writes to be taken again', 20)
        for name, pid in self.pids.items():
            self.assertIsNone(self.cluster.processes[name].poll(), self.cluster.log(name)[-2000:])
            self.assertEqual(self.cluster.processes[name].pid, pid)
        self.cluster.wait_until_whole(20)
        # RocksDB looks every 5 s whether there is room again.
        harness.wait_for(lambda: self.cluster.skein('digest')['agree'], 'all to agree', 30)
        self.is_good = True

    def test_all_disks_are_full(self):
        self.fill(*self.cluster.storage)
        # What was under way when the disks were full has an unknown outcome.
        self.assertIn(self.write_until_refused(), ('read_only', 'unknown_outcome'))
        self.expect_reads('any')
        for number in range(5):
            self.assertEqual(self.put(number), 'read_only')
        self.expect_reads('any')
        self.make_room(*self.cluster.storage)
        self.expect_service()

    def test_the_disk_of_one_replica_is_full(self):
        name = self.cluster.replica()
        self.fill(name)
        self.assertEqual(self.write_until_refused(400), 'ok')
        self.expect_reads()
        self.make_room(name)
        self.expect_service()

    def test_the_disk_of_the_primary_is_full(self):
        name = self.cluster.primary()
        self.fill(name)
        self.assertEqual(self.write_until_refused(400), 'read_only')
        self.expect_reads()
        self.make_room(name)
        self.expect_service()


if __name__ == '__main__':
    isolation.main()
