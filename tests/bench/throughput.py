#!/usr/bin/env python3
"""What a local cluster does in a second, next to what the machine does without it.

    tests/bench/throughput.py [--bin DIR] [--seconds N] [--clients N] [--readers N]

Rows: `skein bench` with each workload, many requests outstanding and one; CPU is seconds of all
processes of the cluster and the bench itself in 1000 operations. Then the limits of the machine in
the same run: the journal and a bare pwrite and fdatasync of as many bytes on the same disk, and
`echo`, which is a message to a writer's ROUTER socket and back.
"""

import argparse
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
WORKLOADS = ('write', 'read', 'mixed', 'update', 'txn', 'find', 'echo')


def print_row(name, done):
    print(f'{name:16}{done["ops_per_second"]:>10}{done["p50_us"]:>9}{done["p99_us"]:>9}'
          f'{done["p999_us"]:>9}{done["cpu_seconds_per_1000"]:>12.4f}'
          f'{done["errors"] + done["unknown"]:>9}', flush=True)


def measure(options):
    print(f'{"":16}{"a second":>10}{"p50 us":>9}{"p99 us":>9}{"p999 us":>9}{"CPU s/1000":>12}'
          f'{"failed":>9}')
    failed = 0
    with Cluster(writers=1, readers=options.readers) as cluster:
        for clients in (options.clients, 1):
            for workload in WORKLOADS:
                done = cluster.skein('bench', '--workload', workload, '--clients', str(clients),
                                     '--seconds', str(options.seconds))
                print_row(f'{workload} x{clients}', done)
                failed += done['errors'] + done['unknown']
    print()
    with tempfile.TemporaryDirectory(prefix='skein-bench-') as folder:
        subprocess.run([os.path.join(os.environ['SKEIN_BIN'], 'bench_journal'), folder], check=True)
    return 1 if failed else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--bin', default=os.path.join(TOP, 'build', 'release', 'bin'))
    parser.add_argument('--seconds', type=int, default=5)
    parser.add_argument('--clients', type=int, default=64)
    parser.add_argument('--readers', type=int, default=1)
    return parser.parse_args()


if __name__ == '__main__':
    given = parse()
    os.environ.setdefault('SKEIN_BIN', os.path.abspath(given.bin))
    sys.path.insert(0, os.path.join(TOP, 'tests', 'integration'))
    from harness import Cluster
    sys.exit(measure(given))
