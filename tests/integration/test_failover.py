"""Primaries that die, hang and hand over under load: no request fails, nothing is lost."""

import json
import os
import signal
import threading
import time
import unittest

import harness
from harness import Cluster, Pipe


class Load:
    """Transactions through one pipe, each putting a document of its own, until stop()."""

    def __init__(self, cluster):
        self.pipe = Pipe(cluster, outstanding=32)
        self.sent = 0
        self.acknowledged = []
        self.failed = []
        self.gap_seconds = 0
        self.is_ending = False
        self.sender = threading.Thread(target=self.send)
        self.receiver = threading.Thread(target=self.receive)
        self.sender.start()
        self.receiver.start()

    def send(self):
        while not self.is_ending:
            self.pipe.send({'tag': self.sent, 'do': 'txn', 'timeout_ms': 20000, 'operations': [
                {'op': 'insert', 'collection': 'c', 'id': str(self.sent), 'document': {'n': 1}}]})
            self.sent += 1
            time.sleep(0.001)

    def receive(self):
        last = time.monotonic()
        while (reply := self.pipe.receive()) is not None:
            now = time.monotonic()
            self.gap_seconds = max(self.gap_seconds, now - last)
            last = now
            (self.failed if 'error' in reply else self.acknowledged).append(reply)

    def stop(self):
        """Ends the load when all that was sent is answered; returns the pipe's exit code."""
        self.is_ending = True
        self.sender.join()
        self.pipe.process.stdin.close()
        self.receiver.join()
        self.pipe.process.stdout.close()
        return self.pipe.process.wait(timeout=60 * harness.SLOWNESS)


class Failover(unittest.TestCase):

    def setUp(self):
        self.cluster = Cluster()
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__, None, None, None)

    def check(self, load):
        self.assertEqual(load.stop(), 0)
        self.assertEqual(load.failed, [])
        self.assertEqual(len(load.acknowledged), load.sent)
        versions = {reply['version'] for reply in load.acknowledged}
        self.assertEqual(len(versions), load.sent, 'every transaction ran once')
        self.check_documents(range(load.sent))

    def check_documents(self, tags):
        requests = [json.dumps({'tag': tag, 'do': 'get', 'collection': 'c', 'id': str(tag)})
                    for tag in tags]
        replies = self.cluster.skein('pipe', stdin='\n'.join(requests))
        self.assertEqual(sorted(reply['tag'] for reply in replies), sorted(tags))
        self.assertEqual([reply for reply in replies if reply.get('document') != {'n': 1}], [])

    def wait_for_another(self, old):
        return harness.wait_for(
            lambda: self.cluster.skein('status')['primary'] not in (None, old), 'another primary')

    def test_a_primary_is_killed(self):
        load = Load(self.cluster)
        time.sleep(0.5)
        for _ in range(3):
            primary = self.cluster.primary()
            self.cluster.kill(primary)
            self.wait_for_another(primary)
            self.cluster.start()
            time.sleep(0.5)
        self.check(load)
        self.assertLess(load.gap_seconds, 1 * harness.SLOWNESS)

    def test_a_primary_hangs_and_comes_back(self):
        load = Load(self.cluster)
        time.sleep(0.5)
        primary = self.cluster.primary()
        pid = self.cluster.pids()[primary]
        self.cluster.kill(primary, signal.SIGSTOP)
        self.wait_for_another(primary)
        self.cluster.kill(primary, signal.SIGCONT)
        time.sleep(0.5)
        self.check(load)
        self.assertEqual(self.cluster.pids()[primary], pid, 'it follows now')
        self.assertTrue(self.cluster.skein('digest')['agree'])

    def test_a_primary_hands_over_when_it_is_stopped(self):
        load = Load(self.cluster)
        time.sleep(0.5)
        primary = self.cluster.primary()
        self.cluster.kill(primary, signal.SIGTERM)
        self.wait_for_another(primary)
        self.cluster.start()
        self.check(load)
        self.assertLess(load.gap_seconds, 0.5 * harness.SLOWNESS)

    def test_every_process_dies_at_once(self):
        load = Load(self.cluster)
        time.sleep(0.5)
        for pid in self.cluster.pids().values():
            os.kill(pid, signal.SIGKILL)
        harness.wait_for(lambda: not self.cluster.pids(), 'all to be gone')
        self.cluster.start()
        load.stop()
        self.check_documents([reply['tag'] for reply in load.acknowledged])


if __name__ == '__main__':
    harness.main()
