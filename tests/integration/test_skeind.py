"""skeind as a program: its command line, exit codes, signals, supervisor and hostile peers."""

import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

import harness
from peer import Peer, frame

SKEIND = os.path.join(harness.BIN, 'skeind')

CONFIG = """\
cluster = {cluster}
data = {folder}/data
auto_format = 0
coordinators
    c1 = tcp://127.0.0.1:{port}
storage
    s1
        role = primary
        endpoint = {endpoint}
"""


class Skeind(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='skein-test-')
        self.port = harness.free_port()
        self.processes = []
        self.config = self.write_config('skein.conf')

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        shutil.rmtree(self.folder)

    def write_config(self, name, cluster='t', endpoint=None, more=''):
        path = os.path.join(self.folder, name)
        endpoint = endpoint or f'tcp://127.0.0.1:{self.port + 10}'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(cluster=cluster, folder=self.folder, port=self.port,
                                     endpoint=endpoint) + more)
        return path

    def call(self, *words, config=None):
        """(exit code, standard error) of a skeind that ends by itself."""
        result = subprocess.run([SKEIND, *words, '--config', config or self.config],
                                capture_output=True, text=True, timeout=30 * harness.SLOWNESS,
                                check=False)
        return result.returncode, result.stderr

    def start(self, *words, config=None, environment=None):
        process = subprocess.Popen([SKEIND, *words, '--config', config or self.config],
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **(environment or {})})
        self.processes.append(process)
        return process

    def expect_event(self, process, event):
        """Reads the log until the event; returns its line."""
        for line in process.stderr:
            if f'event={event}' in line:
                return line
        raise AssertionError(f'ended without event={event}, exit code {process.wait()}')

    def expect_stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        log = process.communicate(timeout=30 * harness.SLOWNESS)[1]
        self.assertEqual(process.returncode, 0, log)

    def start_storage(self):
        self.assertEqual(self.call('format', '--name', 's1')[0], 0)
        process = self.start('primary')
        self.expect_event(process, 'loaded')
        return process


class CommandLine(Skeind):

    def test_a_good_configuration_passes(self):
        self.assertEqual(self.call('check'), (0, ''))

    def test_all_mistakes_are_named_with_their_lines(self):
        path = self.write_config('bad.conf', more='colour = red\nquery_threads = 99\n')
        code, text = self.call('check', config=path)
        self.assertEqual(code, 2)
        self.assertEqual(text, f'{path}:10: there is no key colour\n'
                               f'{path}:11: query_threads = "99": it is a number from 1 to 16\n')

    def test_usage_mistakes_end_with_2(self):
        for words in (['cook'], ['coordinator', '--name', 'c9'], ['replica', '--name', 's1'],
                      ['replica'], ['writer', '--set', 'colour=red'], ['writer', 'reader']):
            self.assertEqual(self.call(*words)[0], 2, words)

    def test_nothing_is_opened_when_there_is_a_mistake(self):
        path = self.write_config('bad.conf', more='auto_format = 1\ncolour = red\n')
        self.assertEqual(self.call('primary', config=path)[0], 2)
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'data')))


class Directory(Skeind):

    def test_a_directory_that_was_not_prepared_is_refused(self):
        code, text = self.call('primary')
        self.assertEqual(code, 3)
        self.assertIn('run skeind format --name s1', text)

    def test_a_directory_is_prepared_once(self):
        self.assertEqual(self.call('format', '--name', 's1')[0], 0)
        self.assertEqual(self.call('format', '--name', 's1')[0], 3)

    def test_a_directory_of_another_cluster_is_refused(self):
        self.assertEqual(self.call('format', '--name', 's1')[0], 0)
        code, text = self.call('primary', config=self.write_config('other.conf', cluster='other'))
        self.assertEqual(code, 3)
        self.assertIn('belongs to the cluster t', text)

    def test_a_directory_of_another_node_is_refused(self):
        self.assertEqual(self.call('format', '--name', 's1')[0], 0)
        os.rename(f'{self.folder}/data/s1', f'{self.folder}/data/s9')
        code, text = self.call('replica', '--name', 's9')
        self.assertEqual(code, 3)
        self.assertIn('belongs to the node s1', text)

    def test_a_directory_has_one_process(self):
        process = self.start_storage()
        code, text = self.call('primary')
        self.assertEqual(code, 1)
        self.assertIn('another process has', text)
        self.expect_stop(process)

    def test_a_vote_file_that_is_damaged_is_refused(self):
        self.assertEqual(self.call('format', '--name', 's1')[0], 0)
        for copy in ('a', 'b'):
            with open(f'{self.folder}/data/s1/vote/{copy}', 'r+b') as file:
                file.write(b'\xff' * 64)
        self.assertEqual(self.call('primary')[0], 3)


class FailedDisk(Skeind):

    def test_a_failed_write_ends_the_process_at_once(self):
        process = self.start_storage()
        # From now on every write to a file fails, with an error that is not a full disk.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        self.start('coordinator')
        self.expect_event(process, 'disk_failed')
        self.assertEqual(process.wait(timeout=20 * harness.SLOWNESS), 1)

    def test_what_a_failed_disk_held_is_whole(self):
        process = self.start_storage()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        self.start('coordinator')
        self.expect_event(process, 'disk_failed')
        process.wait(timeout=20 * harness.SLOWNESS)
        again = self.start('primary')
        self.expect_event(again, 'serves')
        self.expect_stop(again)


class Life(Skeind):

    def test_a_clean_stop_ends_with_0(self):
        for role in ('coordinator', 'writer', 'reader', 'monitor'):
            for number in (signal.SIGTERM, signal.SIGINT):
                process = self.start(role)
                self.expect_event(process, 'listening')
                self.expect_stop(process, number)

    def test_an_endpoint_has_one_process(self):
        self.expect_event(self.start('coordinator'), 'listening')
        code, text = self.call('coordinator')
        self.assertEqual(code, 1)
        self.assertIn('another process listens', text)

    def test_an_ipc_endpoint_is_not_stolen(self):
        endpoint = f'ipc://{self.folder}/c1.socket'
        first = self.start('coordinator', '--set', f'coordinators/c1={endpoint}')
        self.expect_event(first, 'listening')
        code, text = self.call('coordinator', '--set', f'coordinators/c1={endpoint}')
        self.assertEqual(code, 1)
        self.assertIn('another process listens', text)
        self.expect_stop(first)
        again = self.start('coordinator', '--set', f'coordinators/c1={endpoint}')
        self.expect_event(again, 'listening')
        self.expect_stop(again)

    def test_sighup_reads_the_configuration_again(self):
        process = self.start('writer')
        self.expect_event(process, 'listening')
        self.write_config('skein.conf', more='log_debug = 1\n')
        process.send_signal(signal.SIGHUP)
        self.assertIn('log_debug=1', self.expect_event(process, 'reloaded'))
        self.write_config('skein.conf', more='log_debug = 2\n')
        process.send_signal(signal.SIGHUP)
        self.assertIn('from 0 to 1', self.expect_event(process, 'reload_refused'))
        self.expect_stop(process)

    def test_the_supervisor_is_told(self):
        path = f'{self.folder}/notify'
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(20 * harness.SLOWNESS)
            process = self.start('coordinator', environment={'NOTIFY_SOCKET': path,
                                                             'WATCHDOG_USEC': '200000'})
            self.assertEqual(notify.recv(1000), b'READY=1')
            while notify.recv(1000) != b'WATCHDOG=1':
                pass
            process.send_signal(signal.SIGTERM)
            while notify.recv(1000) != b'STOPPING=1':
                pass
            self.assertEqual(process.wait(timeout=20 * harness.SLOWNESS), 0)

    def test_threads_and_memory_are_few(self):
        process = self.start('reader')
        self.expect_event(process, 'listening')
        with open(f'/proc/{process.pid}/status', encoding='utf-8') as file:
            status = dict(line.split(':', 1) for line in file)
        self.assertLessEqual(int(status['Threads']), 4)
        if harness.SLOWNESS == 1:
            self.assertLess(int(status['VmRSS'].split()[0]), 64 * 1024)
        self.expect_stop(process)


class HostilePeers(Skeind):

    def setUp(self):
        super().setUp()
        self.process = self.start('coordinator')
        self.expect_event(self.process, 'listening')

    def expect_alive(self):
        with Peer(self.port) as peer:
            self.assertTrue(peer.shake_hands().echo())
        self.expect_stop(self.process)

    def test_bytes_that_are_no_zmtp(self):
        for junk in (b'GET / HTTP/1.1\r\n\r\n', os.urandom(5000), bytes(100), b'\xff' * 100, b''):
            with Peer(self.port) as peer:
                try:
                    peer.socket.sendall(junk)
                except ConnectionError:
                    pass
        self.expect_alive()

    def test_parts_that_are_no_frames(self):
        with Peer(self.port) as peer:
            peer.shake_hands()
            whole = frame([71, 5, b'hello'])
            for size in range(len(whole)):
                peer.send(whole[:size])
            for _ in range(500):
                peer.send(os.urandom(100))
            peer.send(frame([200, 1, 2, 3]))
            peer.send(b'\xdd\xff\xff\xff\xff' * 10)
            self.assertTrue(peer.echo(), 'the same connection still works')
        self.expect_alive()

    def test_a_good_message_before_a_bad_one_counts(self):
        with Peer(self.port) as peer:
            peer.shake_hands()
            peer.send(frame([71, 5, b'hello']) + b'\xc1')
            self.assertIn(b'hello', peer.take_part())
        self.expect_alive()

    def test_messages_of_several_parts(self):
        with Peer(self.port) as peer:
            peer.shake_hands()
            for _ in range(10):
                peer.send(frame([71, 5, b'hello']), more=True)
            peer.send(frame([71, 5, b'hello']))
            self.assertTrue(peer.echo(b'single'))
        self.expect_alive()

    def test_a_frame_above_the_bound_closes_the_connection(self):
        with Peer(self.port) as peer:
            peer.shake_hands()
            peer.socket.sendall(struct.pack('>BQ', 2, 1 << 40) + bytes(100))
            with self.assertRaises(ConnectionError):
                while True:
                    peer.take_part()
        self.expect_alive()

    def test_another_format_is_refused(self):
        with Peer(self.port) as peer:
            peer.shake_hands()
            peer.send(frame([71, 5, b'hello'], wire_format=9))
            self.assertIn(b'another wire format', peer.take_part())
        self.expect_alive()

    def test_an_identity_of_its_own_gets_no_answer(self):
        with Peer(self.port) as peer, Peer(self.port) as second:
            peer.shake_hands(identity=b'c1')
            peer.send(frame([71, 5, b'hello']))
            second.shake_hands(identity=b'\0\0\0\0\1')
            second.send(frame([71, 5, b'hello']))
        self.expect_alive()

    def test_connections_that_say_nothing(self):
        peers = [Peer(self.port) for _ in range(300)]
        with Peer(self.port) as peer:
            self.assertTrue(peer.shake_hands().echo())
        for peer in peers:
            peer.socket.close()
        self.expect_alive()

    def test_a_peer_that_takes_nothing_is_not_waited_for(self):
        with Peer(self.port) as deaf, Peer(self.port) as peer:
            deaf.shake_hands()
            deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            payload = bytes(60000)
            for _ in range(3000):
                deaf.send(frame([71, 5, payload]))
            self.assertTrue(peer.shake_hands().echo())
        self.expect_alive()


if __name__ == '__main__':
    harness.main()
