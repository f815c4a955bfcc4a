"""`skein dev`: a local cluster starts, is whole, survives a restart and stops cleanly."""

import os
import signal
import subprocess
import tempfile
import time
import unittest

import harness
from harness import Cluster


class Dev(unittest.TestCase):

    def test_start_gives_a_cluster_that_serves(self):
        began = time.monotonic()
        with Cluster() as cluster:
            self.assertLess(time.monotonic() - began, 3 * harness.SLOWNESS)
            status = cluster.skein('status')
            roles = sorted(process['role'] for process in status['processes'])
            self.assertEqual(roles, ['coordinator'] * 2 + ['primary', 'reader', 'reader', 'replica',
                                                           'replica', 'writer'])
            states = {process['state'] for process in status['processes']}
            self.assertEqual(states, {'primary', 'replica', 'ready'})
            self.assertEqual(status['primary'], 's1')

    def test_names_and_pids_are_those_of_status(self):
        with Cluster(readers=1) as cluster:
            ours = cluster.dev('status')
            self.assertEqual(set(ours), {'dir', 'at', 'http', 'processes'})
            self.assertEqual(ours['dir'], cluster.dir)
            self.assertIsNone(ours['http'])
            seen = {p['name']: p['pid'] for p in cluster.skein('status')['processes']}
            self.assertEqual({p['name']: p['pid'] for p in ours['processes']}, seen)
            for process in ours['processes']:
                with open(f'/proc/{process["pid"]}/cmdline', 'rb') as file:
                    self.assertTrue(file.read().split(b'\0')[0].endswith(b'/skeind'))

    def test_start_again_starts_only_what_is_not_running(self):
        with Cluster() as cluster:
            cluster.skein('put', 'c', 'x', '{"n": 1}')
            before = cluster.pids()
            cluster.kill('r1')
            cluster.kill('s2')
            harness.wait_for(lambda: len(cluster.pids()) == len(before) - 2, 'two to be gone')
            cluster.start()
            after = cluster.pids()
            changed = {name for name in before if before[name] != after[name]}
            self.assertEqual(changed, {'r1', 's2'})

    def test_stop_is_clean_and_data_survives(self):
        with Cluster(storage=1, readers=1) as cluster:
            cluster.skein('put', 'c', 'x', '{"n": 1}')
            pids = cluster.pids()
            stopped = cluster.dev('stop')
            self.assertEqual(stopped['killed'], 0)
            self.assertEqual(cluster.pids(), {})
            for pid in pids.values():
                self.assertFalse(os.path.exists(f'/proc/{pid}/exe'))
            cluster.start()
            self.assertEqual(cluster.skein('get', 'c', 'x')['document'], {'n': 1})

    def test_a_pid_that_went_to_somebody_else_is_left_alone(self):
        with Cluster(storage=1, readers=1) as cluster:
            cluster.dev('stop')
            with subprocess.Popen(['sleep', '60']) as stranger:
                with open(f'{cluster.dir}/run/s1.pid', 'w', encoding='utf-8') as file:
                    file.write(f'{stranger.pid}\n')
                self.assertEqual(cluster.pids(), {})
                cluster.dev('stop')
                self.assertIsNone(stranger.poll())
                stranger.kill()

    def test_more_readers_can_be_added(self):
        with Cluster(readers=1) as cluster:
            cluster.dev('start', '--readers', '3')
            self.assertIn('r3', cluster.pids())
            names = [p['name'] for p in cluster.skein('status')['processes']]
            self.assertIn('r3', names)

    def test_the_shape_of_storage_is_kept(self):
        with Cluster(storage=1, readers=1) as cluster:
            for words in (('--storage', '3'), ('--gateways', '1'), ('--port', '1')):
                result = harness.call('dev', 'start', '--dir', cluster.dir, *words)
                self.assertEqual(result.returncode, 2)
                self.assertIn('bad_request', result.stderr)

    def test_a_process_that_cannot_start_is_reported_with_its_log(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'c')
            with Cluster(storage=1, readers=1) as cluster:
                result = harness.call('dev', 'start', '--dir', path, '--port', str(cluster.port))
                self.assertEqual(result.returncode, 4)
                self.assertIn('c1', result.stderr)
            harness.call('dev', 'stop', '--dir', path)

    def test_status_of_nothing_is_absent(self):
        result = harness.call('dev', 'status', '--dir', '/nonexistent')
        self.assertEqual(result.returncode, 1)

    def test_a_killed_primary_is_replaced_and_comes_back(self):
        with Cluster() as cluster:
            cluster.kill('s1', signal.SIGKILL)
            cluster.skein('put', 'c', 'x', '{"n": 1}')
            self.assertNotEqual(cluster.primary(), 's1')
            cluster.start()
            digest = cluster.skein('digest')
            self.assertTrue(digest['agree'])
            self.assertEqual(len(digest['nodes']), 3)


if __name__ == '__main__':
    harness.main()
