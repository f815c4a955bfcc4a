"""A network of namespaces joined by skein-switch, whose links can be made bad one by one.

Every name gets a namespace and an address; who has no name lives on a side of its own, HERE. To be
used isolated only (isolation.py). Where there are no namespaces, NoNetwork takes its place: all
processes are on one host, and there are no faults of links.
"""

import ctypes
import mmap
import os
import signal
import struct
import subprocess

import harness
from isolation import PR_SET_PDEATHSIG, command

SWITCH = os.path.join(harness.BIN, 'skein-switch')
HERE = 'here'
LINK = struct.Struct('=5I')
GOOD = {'is_cut': 0, 'delay_us': 0, 'jitter_us': 0, 'loss_ppm': 0, 'duplicate_ppm': 0}


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class NoNetwork:

    is_there = False
    names = ()

    def address(self, _name):
        return '127.0.0.1'

    def inside(self, _name):
        return []

    def heal(self):
        pass

    def close(self):
        pass


class SwitchedNetwork:

    is_there = True

    def __init__(self, folder, *names):
        self.names = [*names, HERE]
        self.addresses = {name: f'10.78.0.{10 + i}' for i, name in enumerate(self.names)}
        command('mkdir', '-p', '/run/netns')
        command('ip', 'netns', 'add', 'switch')
        for name in self.names:
            self.plug_in(name)
        path = os.path.join(folder, 'links')
        with open(path, 'wb') as file:
            file.write(bytes(LINK.size * len(self.names) ** 2))
        with open(path, 'r+b') as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.process = subprocess.Popen(
            ['ip', 'netns', 'exec', 'switch', SWITCH, path,
             *(f'to-{name}' for name in self.names)],
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        if self.process.stdout.readline() != 'ready\n':
            raise AssertionError('skein-switch did not start')

    def plug_in(self, name):
        there = ['-n', name] if name != HERE else []
        if there:
            command('ip', 'netns', 'add', name)
            command('ip', *there, 'link', 'set', 'lo', 'up')
        command('ip', '-n', 'switch', 'link', 'add', f'to-{name}', 'type', 'veth', 'peer', 'name',
                'eth0', 'netns', *([name] if there else [str(os.getpid())]))
        command('ip', '-n', 'switch', 'link', 'set', f'to-{name}', 'up')
        command('ip', *there, 'address', 'add', f'{self.addresses[name]}/24', 'dev', 'eth0')
        command('ip', *there, 'link', 'set', 'eth0', 'up')

    def address(self, name):
        return self.addresses.get(name, self.addresses[HERE])

    def inside(self, name):
        return ['ip', 'netns', 'exec', name] if name in self.addresses and name != HERE else []

    def set(self, sender, receiver, **link):
        """How the link of one to another is from now on; what isn't named is good."""
        offset = self.names.index(sender) * len(self.names) + self.names.index(receiver)
        LINK.pack_into(self.memory, LINK.size * offset, *{**GOOD, **link}.values())

    def set_both(self, one, other, **link):
        self.set(one, other, **link)
        self.set(other, one, **link)

    def heal(self):
        self.memory[:] = bytes(len(self.memory))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
