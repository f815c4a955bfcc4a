"""Namespaces of its own for a test: process ids, mounts, network.

What happens inside ends with the test, however it ends: every process it started is killed, file
systems and links it made are gone, ports and addresses are nobody else's. Root is not needed where
the system lets users make namespaces.
"""

import ctypes
import os
import subprocess
import sys

import harness

INSIDE = 'SKEIN_ISOLATED'
UNSHARE = ['unshare', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child',
           '--mount-proc']
SKIPPED = 77
PR_SET_PDEATHSIG = 1
SIGKILL = 9


def enter():
    """Goes on isolated: runs the program anew, inside. Exits with SKIPPED where that can't be."""
    if os.environ.get(INSIDE) == '1':
        prepare()
        return
    if subprocess.run([*UNSHARE, 'true'], capture_output=True, check=False).returncode != 0:
        print('skipped: this system gives no namespaces')
        sys.exit(SKIPPED)
    # unshare ends with us, and with it everything inside.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    os.execvpe('unshare', [*UNSHARE, sys.executable, '-B', *sys.argv], {**os.environ, INSIDE: '1'})


def main():
    """Runs the tests of the calling file isolated."""
    enter()
    harness.main()


def prepare():
    command('mount', '-t', 'tmpfs', 'none', '/run')
    command('ip', 'link', 'set', 'lo', 'up')


def command(*words):
    subprocess.run(words, check=True)
