"""A cluster for the nemesis: each storage node has a bad disk, each process an address of its own.

Processes are killed through their bad disks, so that what was not synced is known when the power
is cut later.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import disk_shim
import harness
from daemons import SKEIND, Daemons
from disk_shim import BadDisk

EYE = 'eye'  # where the nemesis itself looks from: no fault touches its links
SETTINGS = '''memory
    state_cache_mib = 4
    state_buffer_mib = 4
'''
HEALTHY = ('primary', 'replica')
LOOK_PAUSE = 0.3
START_SECONDS = 60
EXIT_OTHER, EXIT_DAMAGED = 1, 3


class NemesisCluster(Daemons):

    def __init__(self, voters, network):
        super().__init__(storage=voters, coordinators=3, network=network, more=SETTINGS)
        self.follower = f's{voters + 1}'  # holds all, votes never
        self.nodes = [*self.storage, self.follower]
        self.others = [*self.coordinators, 'w1', 'w2', 'r1', 'r2']
        self.disks = {}
        for name in self.nodes:
            self.format(name)
            self.disks[name] = BadDisk(self.data(name), self.path(f'{name}.disk'))
        self.status = None  # as it was seen last
        self.seen_at = 0.0
        self.is_ending = False
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def start(self, *names, role=None):
        for name in names:
            words = [SKEIND, role or self.role(name), '--config', self.config, '--name', name,
                     '--set', f'listen=tcp://{self.address(name)}:*']
            environment = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') +
                           ':verify_asan_link_order=0'}
            if name in self.disks:
                self.disks[name].order = 0
                environment |= self.disks[name].environment()
            # Set behind `ip`, which is not to have the bad disk.
            words = ['env', *(f'{key}={value}' for key, value in environment.items()), *words]
            with open(self.path(f'{name}.log'), 'a', encoding='utf-8') as log:
                log.write(f'--- started at {time.monotonic():.3f}\n')
                log.flush()
                self.processes[name] = subprocess.Popen(self.network.inside(name) + words,
                                                        stderr=log)

    def start_all(self):
        self.watcher.start()
        self.start(*self.others, *self.nodes)
        harness.wait_for(self.is_whole, 'all processes to be well', START_SECONDS)

    def call_from_eye(self, *words, timeout=10):
        """The completed call of the tool, where no fault is; None if that takes too long."""
        try:
            return subprocess.run(
                [*self.network.inside(EYE), harness.SKEIN, '--at', self.at, '--format', 'json',
                 '--timeout', str(1000 * timeout // 2), *words],
                capture_output=True, text=True, timeout=timeout * harness.SLOWNESS, check=False)
        except subprocess.TimeoutExpired:
            return None

    def watch(self):
        while not self.is_ending:
            result = self.call_from_eye('status', timeout=2)
            if result is not None and result.returncode == 0:
                self.status = json.loads(result.stdout)
                self.seen_at = time.monotonic()
            time.sleep(LOOK_PAUSE)

    def primary(self):
        """As it was seen last; None while there is none."""
        return self.status and self.status['primary']

    def states(self):
        """{name: state} as it was seen last, nothing if that is too long ago."""
        if self.status is None or time.monotonic() - self.seen_at > 2 * harness.SLOWNESS:
            return {}
        return {process['name']: process['state'] for process in self.status['processes']}

    def is_well(self, name):
        """Whether a node runs, is seen, and is at most a little behind.

        One that doesn't vote is called damaged until the next epoch, also when it is refilled.
        """
        states = HEALTHY + (('damaged',) if name == self.follower else ())
        if self.processes[name].poll() is not None or self.states().get(name) not in states:
            return False
        lag = next(process['lag_versions'] for process in self.status['processes']
                   if process['name'] == name)
        return lag is not None and lag < 1000

    def is_whole(self):
        states = self.states()
        return (all(self.is_well(name) for name in self.nodes) and
                all(states.get(name) == 'ready' for name in self.others))

    def die(self, name):
        """As by kill -9."""
        if name in self.disks:
            self.disks[name].end(self.processes[name], disk_shim.DIE)
        else:
            self.processes[name].kill()
            self.processes[name].wait()

    def cut_power(self, seed, *names):
        """Of some nodes at the same time; also of such that don't run."""
        running = [name for name in names if self.processes[name].poll() is None]
        for name in names:
            self.disks[name].seed = seed
        for name in running:
            self.disks[name].order = disk_shim.LOSE
        for name in running:
            self.disks[name].end(self.processes[name], disk_shim.LOSE, seed)
        for name in set(names) - set(running):
            self.disks[name].lose(seed)

    def remove(self, name, *folders):
        """Removes folders of a node that doesn't run, or all it has."""
        for folder in folders or os.listdir(self.data(name)):
            path = self.data(name, folder)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
        self.disks[name].forget()

    def last_words(self, name, count=8):
        return '\n'.join(self.log(name).splitlines()[-count:])

    def stop_all(self):
        self.is_ending = True
        for name, process in self.processes.items():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        self.network.close()
