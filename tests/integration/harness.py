"""What integration tests share: a local cluster of real processes, and the command line tool.

The programs are those of the build folder named by SKEIN_BIN. Every cluster has a folder and ports
of its own, so that tests can run beside each other, and is stopped whatever happens.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

BIN = os.environ.get('SKEIN_BIN', os.path.join(os.path.dirname(__file__), '../../build/check/bin'))
SKEIN = os.path.join(BIN, 'skein')
# Sanitizers make everything slower; bounds that are not measurements are this many times wider.
SLOWNESS = int(os.environ.get('SKEIN_SLOWNESS', '1'))
PORTS_OF_CLUSTER = 20


def free_port():
    """The first of a run of free ports."""
    while True:
        port = random.randrange(20000, 32000, PORTS_OF_CLUSTER)
        try:
            for number in range(port, port + PORTS_OF_CLUSTER):
                with socket.socket() as probe:
                    probe.bind(('127.0.0.1', number))
            return port
        except OSError:
            continue


class Access:
    """Asks the cluster at `self.at`."""

    at = None

    def skein(self, *words, **options):
        """What the tool printed, read as JSON: one value, or a list of the lines' values."""
        lines = run('--at', self.at, '--format', 'json', *words, **options).splitlines()
        values = [json.loads(line) for line in lines]
        return values[0] if len(values) == 1 else values

    def refusal(self, *words, **options):
        """(exit code, code of the error) of a call that must fail."""
        result = call('--at', self.at, '--format', 'json', *words, **options)
        if result.returncode == 0:
            raise AssertionError(f'{words} succeeded: {result.stdout}')
        return result.returncode, json.loads(result.stderr)['error']['code']

    def primary(self):
        return wait_for(lambda: self.skein('status')['primary'], 'a primary')

    def wait_for_another_primary(self, old):
        return wait_for(lambda: self.skein('status')['primary'] not in (None, old),
                        'another primary')

    def wait_until_whole(self, seconds=10):
        def is_whole():
            states = [process['state'] for process in self.skein('status')['processes']]
            return all(state in ('primary', 'replica', 'ready') for state in states)
        wait_for(is_whole, 'all processes to be ready', seconds)


class Cluster(Access):
    """A cluster of `skein dev`."""

    def __init__(self, **shape):
        self.dir = tempfile.mkdtemp(prefix='skein-test-')
        self.port = free_port()
        self.shape = [word for name, count in shape.items() for word in (f'--{name}', str(count))]

    def __enter__(self):
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.dev('stop')
        for process in self.dev('status')['processes']:
            if process['running']:
                os.kill(process['pid'], signal.SIGKILL)
        if kind is not None:
            self.print_logs()
        shutil.rmtree(self.dir, ignore_errors=True)

    def print_logs(self):
        folder = os.path.join(self.dir, 'log')
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as file:
                print(f'--- {name}\n' + ''.join(file.readlines()[-30:]))

    def dev(self, what, *words):
        return json.loads(run('--format', 'json', 'dev', what, '--dir', self.dir, *words))

    def start(self):
        status = self.dev('start', '--port', str(self.port), *self.shape)
        self.at = status['at']
        return status

    def pids(self):
        """{name: pid} of what runs."""
        return {p['name']: p['pid'] for p in self.dev('status')['processes'] if p['running']}

    def kill(self, name, number=signal.SIGKILL):
        os.kill(self.pids()[name], number)


def call(*words, stdin='', timeout=60):
    return subprocess.run([SKEIN, *words], input=stdin, capture_output=True, text=True,
                          timeout=timeout * SLOWNESS, check=False)


def run(*words, **options):
    """Standard output of a call that must succeed."""
    result = call(*words, **options)
    if result.returncode != 0:
        raise AssertionError(f'skein {words}: exit code {result.returncode}: {result.stderr}')
    return result.stdout


def wait_for(probe, what, seconds=10):
    """What probe() returns once it is true."""
    until = time.monotonic() + seconds * SLOWNESS
    while time.monotonic() < until:
        value = probe()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f'waited in vain for {what}')


class Pipe:
    """A running `skein pipe`; requests go in by send(), replies come out of receive()."""

    def __init__(self, cluster, outstanding=64):
        self.process = subprocess.Popen(
            [SKEIN, '--at', cluster.at, 'pipe', '--outstanding', str(outstanding)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def close(self):
        """Ends the input; returns the replies still to come, and the exit code."""
        self.process.stdin.close()
        replies = [json.loads(line) for line in self.process.stdout]
        self.process.stdout.close()
        return replies, self.process.wait(timeout=60 * SLOWNESS)


def main():
    unittest.main(verbosity=2)
