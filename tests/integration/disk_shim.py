"""A bad disk for a process: what disk_shim.c reads and counts, and how to load it."""

import mmap
import os
import shutil
import struct
import subprocess
import time

import harness

SHIM = os.path.join(harness.BIN, 'skein-disk-shim.so')
FIELDS = ('order', 'seed', 'sync_slow_us', 'write_slow_us', 'failing_syncs', 'is_full', 'is_lying',
          'syncs', 'failed', 'refused', 'lost')
DIE, LOSE = 1, 2


class BadDisk:
    """The disk of a folder. Fields of the control can be read and set as attributes."""

    def __init__(self, folder, control):
        self.__dict__['folder'] = folder
        self.__dict__['control'] = control
        with open(control, 'wb') as file:
            file.write(bytes(4 * len(FIELDS)))
        with open(control, 'r+b') as file:
            self.__dict__['memory'] = mmap.mmap(file.fileno(), 0)

    def __getattr__(self, name):
        return struct.unpack_from('=I', self.memory, 4 * FIELDS.index(name))[0]

    def __setattr__(self, name, value):
        struct.pack_into('=I', self.memory, 4 * FIELDS.index(name), value)

    def environment(self):
        """What a process has to be started with."""
        return {'LD_PRELOAD': SHIM, 'SKEIN_DISK_FOLDER': self.folder,
                'SKEIN_DISK_CONTROL': self.control}

    def heal(self):
        for name in ('order', 'sync_slow_us', 'write_slow_us', 'failing_syncs', 'is_full'):
            setattr(self, name, 0)

    def end(self, process, order, seed=0):
        """Ends a running process by an order, and returns its exit code."""
        self.seed = seed
        self.order = order
        until = time.monotonic() + 30 * harness.SLOWNESS
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        self.order = 0
        return process.returncode

    def lose(self, seed):
        """Cuts the power of a disk that no process has open."""
        with subprocess.Popen(['true'], env={**os.environ, **self.environment()}) as process:
            self.end(process, LOSE, seed)

    def forget(self):
        """The folder is another one now, all of it durable."""
        for path in (self.control + '.undo', self.control + '.aside'):
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
