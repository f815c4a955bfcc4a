"""A cluster whose processes a test starts and stops itself, one by one, by a configuration of its
own. Its test is isolated (isolation.py), so ports and addresses are always the same.
"""

import os
import shutil
import signal
import subprocess
import tempfile

import harness
from harness import Access

SKEIND = os.path.join(harness.BIN, 'skeind')


class Daemons(Access):

    def __init__(self, storage=3, coordinators=2, network=None, more='auto_format = 1\n'):
        self.dir = tempfile.mkdtemp(prefix='skein-test-')
        self.network = network
        self.storage = [f's{i + 1}' for i in range(storage)]
        self.coordinators = [f'c{i + 1}' for i in range(coordinators)]
        self.endpoints = {name: f'tcp://{self.address(name)}:{7300 + i}'
                          for i, name in enumerate(self.coordinators + self.storage)}
        self.at = ','.join(self.endpoints[name] for name in self.coordinators)
        self.config = os.path.join(self.dir, 'skein.conf')
        self.processes = {}
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(self.config_text() + more)

    def config_text(self):
        lines = ['cluster = t', f'data = {self.dir}/data',
                 f'listen = tcp://{self.address(None)}:*', 'coordinators']
        lines += [f'    {name} = {self.endpoints[name]}' for name in self.coordinators]
        lines += ['storage']
        for name in self.storage:
            lines += [f'    {name}', f'        role = {self.role(name)}',
                      f'        endpoint = {self.endpoints[name]}']
        return '\n'.join(lines) + '\n'

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in self.processes.values():
            process.kill()
            process.wait()
        if kind is not None:
            for name in self.processes:
                print(f'--- {name}\n' + ''.join(self.log(name).splitlines(True)[-30:]))
        shutil.rmtree(self.dir, ignore_errors=True)

    def address(self, name):
        return self.network.address(name) if self.network else '127.0.0.1'

    def role(self, name):
        return {'s1': 'primary', 's': 'replica', 'c': 'coordinator', 'w': 'writer',
                'r': 'reader', 'm': 'monitor'}[name if name == 's1' else name[0]]

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def data(self, name, *parts):
        return self.path('data', name, *parts)

    def log(self, name):
        with open(self.path(f'{name}.log'), encoding='utf-8', errors='replace') as file:
            return file.read()

    def format(self, name):
        subprocess.run([SKEIND, 'format', '--config', self.config, '--name', name], check=True,
                       capture_output=True)

    def call(self, role, name, *words, config=None):
        """(exit code, standard error) of a skeind that ends by itself."""
        result = subprocess.run(
            [SKEIND, role, '--config', config or self.config, '--name', name, *words],
            capture_output=True, text=True, timeout=30 * harness.SLOWNESS, check=False)
        return result.returncode, result.stderr

    def start(self, *names, role=None):
        for name in names:
            words = [SKEIND, role or self.role(name), '--config', self.config, '--name', name]
            if self.network:
                words = self.network.inside(name) + words
                words += ['--set', f'listen=tcp://{self.address(name)}:*']
            with open(self.path(f'{name}.log'), 'a', encoding='utf-8') as log:
                self.processes[name] = subprocess.Popen(words, stderr=log)

    def start_all(self, *others):
        """All of the configuration, and others by name; returns when they serve."""
        self.start(*self.coordinators, *self.storage, *others)
        self.wait_for_names(*self.processes)
        self.wait_until_whole()

    def wait_for_names(self, *names):
        def are_there():
            result = harness.call('--at', self.at, '--timeout', '500', '--format', 'json', 'status')
            return result.returncode == 0 and all(f'"{name}"' in result.stdout for name in names)
        harness.wait_for(are_there, f'{names} to register')

    def kill(self, name, number=signal.SIGKILL):
        """Sends the signal; returns the exit code when it is one that ends the process."""
        process = self.processes[name]
        process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            return process.wait(timeout=30 * harness.SLOWNESS)
        return None

    def state(self, name):
        """The state of a process, None while it is not known."""
        for process in self.skein('status')['processes']:
            if process['name'] == name:
                return process['state']
        return None

    def wait_for_log(self, name, text, seconds=10):
        harness.wait_for(lambda: text in self.log(name), f'{name} to log {text}', seconds)

    def cpu_ticks(self, name):
        """Processor time that the process has used, in hundredths of a second."""
        with open(f'/proc/{self.processes[name].pid}/stat', encoding='utf-8') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def replica(self):
        """The name of a storage node that follows."""
        primary = self.primary()
        return next(name for name in self.storage if name != primary)
