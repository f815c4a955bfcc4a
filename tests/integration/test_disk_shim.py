"""The bad disk that the nemesis uses: it loses what may be lost, and never anything else."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from disk_shim import DIE, LOSE, BadDisk

SEEDS = range(40)
BEGIN = 'import os, time, signal\nos.chdir(os.environ["SKEIN_DISK_FOLDER"])\n'
WAIT = 'print("done", flush=True)\ntime.sleep(60)\n'
SYNCED = '''
file = os.open('f', os.O_RDWR | os.O_CREAT)
os.pwrite(file, b'a' * 6000, 0)
os.fdatasync(file)
folder = os.open('.', os.O_RDONLY)
os.fsync(folder)
'''


class DiskShim(unittest.TestCase):

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix='skein-test-')
        self.addCleanup(shutil.rmtree, self.top)

    def disk(self):
        top = tempfile.mkdtemp(dir=self.top)
        folder = os.path.join(top, 'data')
        os.mkdir(folder)
        return BadDisk(folder, os.path.join(top, 'control'))

    def start(self, disk, script):
        process = subprocess.Popen(
            [sys.executable, '-IS', '-c', BEGIN + script], stdout=subprocess.PIPE, text=True,
            env={**os.environ, **disk.environment(), 'ASAN_OPTIONS': 'verify_asan_link_order=0'})
        self.addCleanup(process.stdout.close)
        return process

    def end(self, disk, script, order, seed):
        process = self.start(disk, script + WAIT)
        self.assertEqual(process.stdout.readline(), 'done\n')
        self.assertEqual(disk.end(process, order, seed), -9)

    def content(self, disk, name='f'):
        """What is in a file, as runs of letters: '6000a'; None if there is no file."""
        try:
            with open(os.path.join(disk.folder, name), encoding='ascii') as file:
                return ' '.join(f'{len(list(run))}{letter}'
                                for letter, run in itertools.groupby(file.read()))
        except FileNotFoundError:
            return None

    def contents(self, script, name='f'):
        """What power cuts leave of a file, by seed."""
        found = []
        for seed in SEEDS:
            disk = self.disk()
            self.end(disk, script, LOSE, seed)
            found.append(self.content(disk, name))
        return found

    def test_what_was_synced_stays(self):
        self.assertEqual(set(self.contents(SYNCED)), {'6000a'})

    def test_what_was_not_synced_may_stay_go_or_be_torn_by_sector(self):
        found = self.contents(SYNCED + 'os.pwrite(file, b"b" * 6000, 0)\n')
        self.assertLess({'6000a', '6000b'}, set(found))
        for content in set(found):
            sizes = [int(run[:-1]) for run in content.split()]
            self.assertEqual(sum(sizes), 6000)
            self.assertEqual({size % 512 for size in sizes[:-1]} - {0}, set())

    def test_the_seed_says_what_is_lost(self):
        script = SYNCED + 'os.pwrite(file, b"b" * 6000, 0)\n'
        self.assertEqual(self.contents(script), self.contents(script))

    def test_a_file_that_grew_has_one_of_its_sizes(self):
        found = self.contents(
            SYNCED + 'for _ in range(3): os.pwrite(file, b"a" * 100, os.fstat(file).st_size)\n')
        sizes = {int(content.split('a')[0]) for content in found if '\0' not in content}
        self.assertEqual(sizes, {6000, 6100, 6200, 6300})

    def test_a_file_that_was_cut_may_be_whole_again(self):
        found = self.contents(SYNCED + 'os.ftruncate(file, 100)\n')
        self.assertEqual(set(found), {'6000a', '100a'})

    def test_names_are_lost_until_their_folder_is_synced(self):
        replace = SYNCED + '''
new = os.open('g', os.O_RDWR | os.O_CREAT)
os.pwrite(new, b'nnn', 0)
os.fsync(new)
os.rename('g', 'f')
'''
        self.assertEqual(set(self.contents(replace)), {'6000a', '3n'})
        self.assertEqual(set(self.contents(replace + 'os.fsync(folder)\n')), {'3n'})
        self.assertEqual(set(self.contents(SYNCED + "os.unlink('f')\n")), {'6000a', None})

    def test_what_a_killed_process_wrote_can_be_lost_later(self):
        found = set()
        for seed in SEEDS:
            disk = self.disk()
            self.end(disk, SYNCED + 'os.pwrite(file, b"b" * 6000, 0)\n', DIE, seed)
            self.assertEqual(self.content(disk), '6000b')
            disk.lose(seed)
            found.add(self.content(disk))
        self.assertLess({'6000a', '6000b'}, found)

    def test_a_later_process_makes_durable_what_it_syncs(self):
        disk = self.disk()
        self.end(disk, SYNCED + 'os.pwrite(file, b"b" * 6000, 0)\n', DIE, 0)
        self.end(disk, "file = os.open('f', os.O_RDWR)\nos.fsync(file)\n", DIE, 0)
        for seed in SEEDS:
            disk.lose(seed)
        self.assertEqual(self.content(disk), '6000b')

    def test_a_lying_disk_makes_nothing_durable(self):
        found = set()
        for seed in SEEDS:
            disk = self.disk()
            self.end(disk, SYNCED, DIE, seed)
            disk.is_lying = 1
            self.end(disk, "file = os.open('f', os.O_RDWR)\nos.pwrite(file, b'b' * 6000, 0)\n"
                           'os.fsync(file)\n', LOSE, seed)
            found.add(self.content(disk))
        self.assertLess({'6000a', '6000b'}, found)

    def expect_error(self, disk, script, error):
        process = self.start(disk, f'try:\n    {script}\nexcept OSError as error:\n'
                                   '    print(error.errno)\n')
        self.assertEqual(process.stdout.readline(), f'{error}\n')
        self.assertEqual(process.wait(timeout=30), 0)

    def test_syncs_fail_and_full_disks_refuse(self):
        disk = self.disk()
        self.end(disk, SYNCED, DIE, 0)
        disk.failing_syncs = 1
        self.expect_error(disk, "os.fdatasync(os.open('f', os.O_RDWR))", 5)
        self.assertEqual((disk.failing_syncs, disk.failed), (0, 1))
        disk.is_full = 1
        self.expect_error(disk, "os.open('h', os.O_RDWR | os.O_CREAT)", 28)
        self.expect_error(disk, "os.pwrite(os.open('f', os.O_RDWR), b'x', 6000)", 28)
        self.expect_error(disk, "print(os.pwrite(os.open('f', os.O_RDWR), b'x' * 5, 0))", 5)


if __name__ == '__main__':
    harness.main()
