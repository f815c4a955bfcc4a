"""Disks that lose or change what was written: found out, never believed, made good by others."""

import glob
import os
import shutil
import unittest

import harness
import isolation
from daemons import Daemons


class Damage(unittest.TestCase):

    def setUp(self):
        self.cluster = Daemons()
        self.is_good = False
        self.addCleanup(lambda: self.cluster.__exit__(
            None if self.is_good else AssertionError, None, None))
        self.cluster.start_all('w1', 'r1')
        self.count = 0
        self.write(50)

    def write(self, count):
        for _ in range(count):
            self.count += 1
            self.cluster.skein('--timeout', '10000', 'put', 'c', str(self.count),
                               '{"text": "' + 'x' * 1000 + '"}')

    def expect_all(self):
        """Everything written is there, on every node that can be asked the same."""
        for number in range(1, self.count + 1, 10):
            self.assertEqual(len(self.cluster.skein('get', 'c', str(number))['document']['text']),
                             1000)
        digest = self.cluster.skein('digest')
        self.assertTrue(digest['agree'], digest)
        self.is_good = True

    def kill_the_third(self, name):
        """Kills the node that is neither this one nor the primary; returns its name."""
        third = next(other for other in self.cluster.storage
                     if other not in (name, self.cluster.primary()))
        self.cluster.kill(third)
        return third

    def start_without_majority(self, name):
        """Starts the node beside a primary without others: they acknowledge nothing."""
        third = self.kill_the_third(name)
        before = self.cluster.log(name).count('event=loaded')
        self.cluster.start(name)
        harness.wait_for(lambda: self.cluster.log(name).count('event=loaded') > before,
                         f'{name} to be there')
        self.expect_no_write()
        self.assertNotEqual(self.cluster.skein('status')['primary'], name)
        self.cluster.start(third)
        self.write(1)

    def expect_no_write(self):
        code, _ = self.cluster.refusal('--timeout', '1500', 'put', 'c', 'nothing', '{}')
        self.assertIn(code, (4, 5))

    def expect_no_voter(self, name):
        """It follows, and is not counted for all that."""
        self.cluster.wait_until_whole(20)
        third = self.kill_the_third(name)
        self.expect_no_write()
        self.cluster.start(third)
        self.write(1)
        self.cluster.wait_until_whole(20)

    def expect_majority_with(self, name):
        third = self.kill_the_third(name)
        self.write(5)
        self.cluster.start(third)
        self.cluster.wait_until_whole(20)

    def flip_in_journal(self, name):
        """Changes bytes in the middle of what is written in the newest segment."""
        segments = glob.glob(self.cluster.data(name, 'journal', '*', '0*'))
        with open(max(segments), 'r+b') as file:
            size = len(file.read().rstrip(b'\0'))
            file.seek(size // 2)
            file.write(b'\xa5' * 16)

    def test_a_damaged_journal(self):
        name = self.cluster.replica()
        self.cluster.kill(name)
        self.flip_in_journal(name)
        self.write(10)
        self.start_without_majority(name)
        self.assertIn('event=journal_damaged', self.cluster.log(name))
        self.cluster.wait_until_whole(20)
        self.assertIn('event=repaired', self.cluster.log(name))
        self.expect_majority_with(name)
        self.expect_all()

    def test_a_damaged_journal_of_the_primary(self):
        name = self.cluster.primary()
        self.cluster.kill(name)
        self.flip_in_journal(name)
        self.cluster.start(name)
        self.cluster.wait_for_log(name, 'event=journal_damaged')
        self.write(10)
        self.cluster.wait_until_whole(20)
        self.expect_majority_with(name)
        self.expect_all()

    def test_a_wiped_directory_is_no_voter(self):
        name = self.cluster.replica()
        self.cluster.kill(name)
        shutil.rmtree(self.cluster.data(name))
        self.write(10)
        self.start_without_majority(name)
        self.expect_no_voter(name)
        self.expect_all()

    def test_a_wiped_directory_of_the_primary(self):
        name = self.cluster.primary()
        self.cluster.kill(name)
        shutil.rmtree(self.cluster.data(name))
        self.cluster.wait_for_another_primary(name)
        self.write(10)
        self.start_without_majority(name)
        self.expect_no_voter(name)
        self.expect_all()

    def test_a_directory_that_came_from_another_node(self):
        first, second = self.cluster.storage[1:]
        for name in (first, second):
            self.cluster.kill(name)
        os.rename(self.cluster.data(first), self.cluster.data('aside'))
        shutil.copytree(self.cluster.data(second), self.cluster.data(first))
        code, text = self.cluster.call('replica', first)
        self.assertEqual(code, 3, text)
        self.assertIn(f'belongs to the node {second}', text)
        shutil.rmtree(self.cluster.data(first))
        os.rename(self.cluster.data('aside'), self.cluster.data(first))
        self.cluster.start(first, second)
        self.write(1)
        self.cluster.wait_until_whole(20)
        self.expect_all()

    def test_a_lost_vote_file_is_a_lost_identity(self):
        name = self.cluster.replica()
        self.cluster.kill(name)
        for copy in ('a', 'b'):
            os.remove(self.cluster.data(name, 'vote', copy))
        code, text = self.cluster.call('replica', name)
        self.assertEqual(code, 3, text)
        self.write(5)
        self.is_good = True


if __name__ == '__main__':
    isolation.main()
